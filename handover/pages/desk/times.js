/** Moments and spans, as agents read them. */

const CLOCK = new Intl.DateTimeFormat("de-DE", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("de-DE", { day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit" });

/**
 * `10:32`, with the day where it is not today.
 * @param {string} moment ISO
 */
export function clock(moment) {
  const date = new Date(moment);
  const today = date.toDateString() === new Date().toDateString();
  return (today ? CLOCK : DAY).format(date);
}

/**
 * How long ago a moment was.
 * @param {string} moment ISO
 * @param {number} now milliseconds, by the service's clock
 * @param {import("./types.js").Say} say
 */
export function age(moment, now, say) {
  const seconds = Math.max(0, Math.floor((now - Date.parse(moment)) / 1000));
  if (seconds < 60) return say("age.seconds", { count: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return say("age.minutes", { count: minutes });
  return say("age.hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}
