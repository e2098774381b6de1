/** Whatever happens to members within one notice, who hears the notices knows at the end who is there. */
import { assertEquals } from "@std/assert";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import type { NewEvent } from "../../../server/journal/journal.ts";
import { PresenceNotices } from "../../../server/room/presence.ts";

/** What one member believes, by address, from what it was told. */
class Belief {
  readonly names = new Map<string, string | undefined>();

  hear(events: NewEvent[]): void {
    for (const event of events) {
      if (event.type === "OFFLINE") { for (const { address, name } of event.members) this.#forget(address, name); }
      if (event.type === "RENAMED") {
        // two may have changed their names with each other
        for (const { address, before } of event.members) this.#forget(address, before);
        for (const { address, name } of event.members) this.names.set(address, name);
      }
      if (event.type === "ONLINE") { for (const { address, name } of event.members) this.names.set(address, name); }
    }
  }

  /** Forgets a member, which may have moved since it was told of. */
  #forget(address: string, name: string | undefined): void {
    if (this.names.has(address) && this.names.get(address) === name) return void this.names.delete(address);
    if (name === undefined) return;
    for (const [at, known] of this.names) if (known === name) this.names.delete(at);
  }
}

/** Plays one schedule; returns what was done, to be shown when it fails. */
function play(seed: number): void {
  const random = seededRandom(seed), pick = <T>(from: T[]): T => from[Math.floor(random() * from.length)];
  const presence = new PresenceNotices(), belief = new Belief();
  const members = new Map<string, { name: string | undefined; hasMoved: boolean }>();
  const done: string[] = [];
  // a move alone is not told, so nobody comes to an address that others may take for that of one who has moved
  let addresses = Array.from({ length: 5 }, (_, i) => `10.0.0.${i}:1`);
  const free = () => addresses.filter((address) => !members.has(address));
  const unused = () =>
    ["Ann", "Bob", "Cem", "Dan"].filter((name) => ![...members.values()].some((it) => it.name === name));
  const names = () => random() < 0.2 ? undefined : pick(unused());
  const at = (address: string) => ({ key: address, address, name: members.get(address)!.name });
  let now = 0;
  for (let step = 0; step < 60; step++) {
    const what = pick(["arrive", "arrive", "depart", "rename", "rename", "rename", "move", "upgrade", "tell"]);
    const address = pick([...members.keys()]), other = pick(free());
    if (what === "tell") {
      now += 10_000;
      belief.hear(presence.takeDue(now));
      const told = [...belief.names.values()].filter((name) => name !== undefined).sort();
      const there = [...members.values()].map(({ name }) => name).filter((name) => name !== undefined).sort();
      assertEquals(told, there, `seed ${seed}: ${done.join(", ")}`);
      for (const [address, { name, hasMoved }] of members) {
        if (!hasMoved) assertEquals(belief.names.get(address), name, `seed ${seed}: ${done.join(", ")}`);
      }
      done.push("|");
    } else if (what === "arrive" && other !== undefined) {
      members.set(other, { name: names(), hasMoved: false });
      presence.arrived(at(other), now, 3);
      done.push(`${other} ${members.get(other)!.name} arrives`);
    } else if (address === undefined) continue;
    else if (what === "depart") {
      presence.departed(at(address), now, 3);
      members.delete(address);
      done.push(`${address} departs`);
    } else if (what === "rename" || what === "upgrade") {
      // only a classic member that turns out to speak version 1 can lose its name, and one that is classic has not moved
      const member = members.get(address)!, before = member.name, name = what === "upgrade" ? names() : pick(unused());
      if (name === undefined && (what === "rename" || member.hasMoved)) continue;
      member.name = name;
      presence.renamed(at(address), before, now, 3);
      done.push(`${address} ${before} is now ${name}`);
    } else if (what === "move" && other !== undefined) {
      const member = members.get(address)!;
      members.delete(address);
      members.set(other, { ...member, hasMoved: true });
      addresses = addresses.map((it) => it === address ? `10.0.1.${step}:1` : it);
      presence.moved(address, { key: other, address: other });
      done.push(`${address} moves to ${other}`);
    }
  }
}

Deno.test("presence: after any schedule of arrivals, moves, new names and departures, what is told is what is", () => {
  for (let seed = 1; seed <= 3000; seed++) play(seed);
});
