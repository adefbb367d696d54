/** What goes over the workspace's interface. Types only: no browser ever loads this file. */

import type { Answer as ShownAnswer, Message as ShownMessage, State } from "/widget/types.js";

export type { ServerEvent, State } from "/widget/types.js";

export type Status = "available" | "away" | "offline";
export type Channel = "web" | "kiosk" | "phone";

export interface Answer extends ShownAnswer {
  service_id: string | null;
  score: number | null;
  candidates: string[];
}

export interface Message extends Omit<ShownMessage, "answer"> {
  answer: Answer | null;
}

export interface Named {
  id: string;
  name: string;
}

export interface Me extends Named {
  status: Status;
  note: string;
  departments: Named[];
  capacity: number;
  extension: string | null;
}

export interface Entry {
  handover: string;
  conversation: string;
  department: Named;
  channel: Channel;
  service: string | null;
  since: string;
  urgent: boolean;
  preview: string;
  last_seq: number;
  citizen_here: boolean;
}

export interface Waiting extends Entry {
  offered_until: string | null;
  offered_to_other: boolean;
  claimable: boolean;
}

export interface Mine extends Entry {
  agent_read: number;
  citizen_read: number;
}

export interface Colleague extends Named {
  status: Status;
  note: string;
  departments: Named[];
}

export interface Department extends Named {
  open: boolean | null;
  staffed: boolean;
  closes_at: string | null;
  hours: string | null;
}

export interface Board {
  me: Me;
  waiting: Waiting[];
  mine: Mine[];
  colleagues: Colleague[];
  departments: Department[];
  callbacks_open: number;
  callbacks_overdue: number;
  at: string;
}

export interface Passage {
  department: Named;
  begun: string;
  ended: string;
  end: string;
}

export interface Details {
  conversation: string;
  state: State;
  site: string;
  channel: Channel;
  language: string;
  department: Named;
  service: Named | null;
  since: string;
  mine: boolean;
  caller: string | null;
  earlier: Passage[];
  notes: { author: string; text: string; at: string }[];
  messages: Message[];
  titles: Record<string, string>;
}

export interface CatalogueAnswer {
  service_id: string;
  title: string;
  score: number | null;
  aspect: string;
  label: string;
  text: string;
  source_url: string;
  as_of: string | null;
}

export interface CannedReply {
  id: string;
  title: string;
  text: string;
  department: string | null;
}

/** What an agent has said and the service has not confirmed yet. */
export interface Pending {
  id: string;
  text: string;
}

/** What the page gives to its scripts. */
export interface Given {
  texts: Record<string, string>;
  account: string;
  city: string;
  phone: string;
  sites: Record<string, string>;
  max_length: number;
}

export type Say = (key: string, values?: Record<string, string | number>) => string;
