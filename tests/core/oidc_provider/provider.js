/**
 * An OpenID Connect provider with a few people, on loopback: `node provider.js PORT`.
 * Whoever types a login is signed in. Keys are new at every start. For tests of forged answers:
 * `POST /test/next-id-token` puts its body into the next answer of the token endpoint.
 */
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const REDIRECT = "https://stadt.example/mitarbeit/anmelden/stadt/zurueck";
const PEOPLE = {
  agent1: { name: "Bürgerservice", preferred_username: "Agent1", email: "agent1@stadt.example", groups: ["auskunft"] },
  leitung1: { name: "Leitung", preferred_username: "leitung1", groups: ["leitung", "auskunft", "kegelverein"] },
  guest1: { name: "Gast", preferred_username: "guest1", groups: [] },
};

const client = (client_id) => ({
  client_id,
  client_secret: "a secret of the tests only",
  redirect_uris: [REDIRECT],
  post_logout_redirect_uris: ["https://stadt.example/mitarbeit/anmelden"],
  grant_types: ["authorization_code"],
  response_types: ["code"],
});

const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const kid = `key-${Date.now()}`;
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client("stadtbot"), client("other")],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" }] },
  cookies: { keys: ["cookies of the tests only"] },
  claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"], groups: ["groups"] },
  scopes: ["openid", "profile", "email", "groups"],
  findAccount: (_context, id) => PEOPLE[id] && { accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) },
  features: { devInteractions: { enabled: true } },
  ttl: { IdToken: 300, AccessToken: 300, AuthorizationCode: 60, Interaction: 600, Session: 600, Grant: 600 },
});

/** @type {string | null} */
let nextIdToken = null;
provider.use(async (context, next) => {
  if (context.path === "/test/next-id-token") {
    const parts = [];
    for await (const part of context.req) parts.push(part);
    nextIdToken = Buffer.concat(parts).toString();
    context.status = 204;
    return;
  }
  await next();
  if (context.path === "/token" && nextIdToken !== null && context.body?.id_token) {
    context.body = { ...context.body, id_token: nextIdToken };
    nextIdToken = null;
  }
});

provider.listen(port, "127.0.0.1", () => console.log("ready"));
