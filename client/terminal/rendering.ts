/**
 * Formats what a session shows as text, with or without colours.
 *
 * @module
 */
import {
  blue,
  bold,
  brightBlue,
  brightCyan,
  brightGreen,
  brightMagenta,
  brightRed,
  brightYellow,
} from "@std/fmt/colors";
import { cyan, dim, green, magenta, red, yellow } from "@std/fmt/colors";
import type { WantedPassword } from "../session/password_keys.ts";
import type { SessionStatistics, Shown, Whois } from "../session/shown.ts";
import { endSentence, offerSentence, transferLines } from "./progress.ts";
import { messageLine, noticeLine, presenceLines, renamedLines, usersLine } from "../../protocol/lines.ts";

/** How to format it. */
export interface FormatOptions {
  colour: boolean;
  /** Whether to show the time before messages, arrivals and departures. */
  times: boolean;
}

const SENDER_COLOURS = [
  cyan,
  green,
  magenta,
  yellow,
  blue,
  brightCyan,
  brightGreen,
  brightMagenta,
  brightYellow,
  brightBlue,
  brightRed,
];

/** Formats one thing to show as a line or several lines. */
export function formatShown(shown: Shown, { colour, times }: FormatOptions): string {
  const time = times && "at" in shown ? `${paint(colour, dim, clockTime(shown.at))} ` : "";
  switch (shown.kind) {
    case "message":
      return time + senderColoured(messageLine(shown), colour);
    case "line":
      return senderColoured(shown.line, colour);
    case "presence":
      return presenceLines(shown.members, shown.online).map((line) => `${time}${paint(colour, dim, line)}`).join("\n");
    case "renamed":
      return renamedLines(shown.members).map((line) => `${time}${paint(colour, dim, line)}`).join("\n");
    case "announcement":
      return `${time}${paint(colour, bold, noticeLine(shown.text))}`;
    case "direct":
      return `${time}<- ${senderColoured(messageLine(shown), colour)}`;
    case "users":
      return `<- ${usersLine(shown)}${onlyRelayedLine(shown)}`;
    case "whois":
      return `<- ${whoisLine(shown)}`;
    case "refused":
      // the server knows best what is wrong, and says that another name can be chosen
      return paint(colour, red, `!! ${shown.text}`);
    case "offered":
      return paint(colour, dim, `-- ${offerSentence(shown)}`);
    case "transfers":
      return transferLines(shown.transfers).map((line) => paint(colour, dim, `-- ${line}`)).join("\n");
    case "transferred":
      return shown.problem === undefined
        ? paint(colour, dim, `-- ${endSentence(shown)}`)
        : paint(colour, red, `!! ${endSentence(shown)}`);
    case "notice":
    case "hint":
      return paint(colour, dim, `-- ${shown.text}`);
    case "problem":
      return paint(colour, red, `!! ${shown.text}`);
  }
}

/** The question for a password, behind which it is typed. */
export function passwordQuestion({ what, name }: WantedPassword): string {
  if (what === "again") return "Again: ";
  return `${what === "new" ? "New password" : "Password"} for ${name}: `;
}

/** Formats the counters of a session as several lines. */
export function formatStatistics(statistics: SessionStatistics): string {
  const { state, roundTrip, received, repaired, lost, duplicates, repeated, waiting } = statistics;
  return [
    `${state}, round trip ${roundTrip === undefined ? "not measured" : `${roundTrip.toFixed(1)} ms`}`,
    `received ${received}, repaired ${repaired}, lost ${lost}, duplicates dropped ${duplicates}`,
    `sent again ${repeated}, waiting ${waiting}`,
  ].join("\n");
}

function onlyRelayedLine({ onlyRelayed, forbidden }: { onlyRelayed?: string[]; forbidden?: boolean }): string {
  const what = forbidden ? "Not reached directly" : "Only through the server";
  return onlyRelayed === undefined ? "" : `\n<- ${what}: ${onlyRelayed.join(", ")}`;
}

function whoisLine(whois: Whois): string {
  const { name, address, since, registered, operator } = whois;
  const rank = `${registered ? ", registered" : ""}${operator ? ", operator" : ""}`;
  return `${name ?? "(unnamed)"} is at ${address} since ${clockTime(since)}${rank}${programOf(whois)}${wayTo(whois)}`;
}

function programOf({ classic, transport }: Whois): string {
  if (classic) return ", classic";
  if (transport === undefined) return "";
  return `, by ${transport === "tcp" ? "TCP" : transport}`;
}

function wayTo({ relay, norelay, forbidden }: Whois): string {
  if (!relay) return "";
  if (norelay) return ", you can't write to it alone";
  return `, only through the server${forbidden ? ", which you have forbidden" : ""}`;
}

function paint(colour: boolean, style: (text: string) => string, text: string): string {
  return colour ? style(text) : text;
}

/** Colours the sender of a line. A hash of the sender selects the colour, so it is the same on every screen. */
function senderColoured(line: string, colour: boolean): string {
  const [, sender, rest] = /^(<From [^>]*>)([^]*)$/.exec(line) ?? [];
  if (sender === undefined || !colour) return line;
  let hash = 0;
  for (const character of sender) hash = (31 * hash + character.codePointAt(0)!) >>> 0;
  return SENDER_COLOURS[hash % SENDER_COLOURS.length](sender) + rest;
}

function clockTime(at: number): string {
  const date = new Date(at);
  // the network may deliver a time that no Date can hold
  if (Number.isNaN(date.getTime())) return "--:--";
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}
