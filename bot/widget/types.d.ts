/** What goes over the chat API, as far as the widget reads it. Types only: no browser ever loads this file. */

export type State = "bot" | "queued" | "agent" | "closed";

export interface Choice {
  label: string;
  value: string;
}

export interface Action {
  kind: "online" | "appointment" | "form" | "map" | "call";
  label: string;
  url: string;
}

export interface Office {
  id: string;
  name: string;
  phone: string | null;
  hours_today: string | null;
}

export interface Answer {
  kind: "service" | "clarify" | "abstain" | "refuse" | "smalltalk" | "handover" | "emergency" | "office";
  title: string | null;
  aspect: string | null;
  source_url: string | null;
  as_of: string | null;
  office: Office | null;
  actions: Action[];
}

export interface Message {
  seq: number;
  author: "citizen" | "bot" | "agent" | "system";
  lang: string;
  text: string;
  choices: Choice[];
  expects: "open" | "yes_no" | "choice" | "number" | null;
  answer: Answer | null;
  at: string;
}

export interface Turn {
  messages: Message[];
  state: State;
  /** Rises with every new state. */
  version: number;
  queue?: Place | null;
}

/** Where somebody stands who waits for a human. */
export interface Place {
  position: number;
  wait_minutes: number;
  text: string;
}

export interface Agent {
  name: string;
  department: string;
}

/** What is announced on a site, and whether the bot answers there. */
export interface SiteNotice {
  notice: { text: string; until: string | null } | null;
  bot: boolean;
}

/** A sign of life for the agent. */
export interface Sign {
  typing?: boolean;
  read?: number;
}

export interface CallbackWish {
  name: string;
  phone: string | null;
  email: string | null;
  concern: string;
  consent: boolean;
  client_id: string;
}

export interface Site extends SiteNotice {
  site: string;
  name: string;
  languages: string[];
  texts: Record<string, string>;
  look: { accent: string; position: "left" | "right" };
  legal: { privacy: string; imprint: string; accessibility: string };
  hotline: { phone: string; label: string };
  reachability: { open: boolean; text: string };
}

/** An utterance that the service has not answered yet; sent again with the same id until it has. */
export interface Pending {
  id: string;
  label: string;
  body: { text: string } | { choice: string };
}

export interface ServerEvent {
  name: string;
  id: string;
  data: any;
}

/** The custom element, as far as its panel needs it. */
export interface Host extends HTMLElement {
  readonly site: string;
  readonly language: string;
  close(): void;
}
