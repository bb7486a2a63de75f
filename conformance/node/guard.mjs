// May I pay from this account now? The rules of the guard in Node, with nothing but its own crypto.
// It follows what your Kafka library gives it; README.md in the folder above says in which order.

import { createPublicKey, verify } from "node:crypto";
import { parse } from "./strict_json.mjs";

const LEASE_MS_MAX = 15_000;
const VALUE_BYTES_MAX = 1 << 20;
const ENDS_MAX = 1_000;
const SIGNED_BY = ["alg", "kid", "sig"];
const STATES = ["CLOSED", "SUSPENDED", "OPEN"];

// Keys by their ids, from a JWK Set.
export function loadKeys(jwks) {
  const ours = jwks.keys.filter((key) => key.kty === "OKP" && key.crv === "Ed25519");
  if (ours.length === 0) throw new Error("the breaker's public keys: there is none of Ed25519");
  return new Map(ours.map(({ kty, crv, x, kid }) =>
    [kid, createPublicKey({ key: { kty, crv, x }, format: "jwk" })]));
}

const INSTANT = new RegExp("^(\\d{4})-(\\d\\d)-(\\d\\d)[Tt ]([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d" +
  "(\\.\\d+)?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)$");

const isInteger = (value) => Number.isSafeInteger(value);
const isNumber = (value) => isInteger(value) && value >= 0;
const isText = (value) => typeof value === "string";
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const keyText = (bytes) =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);

// Numbers are pairs: (epoch, seq) of a state, (publisher epoch, lease seq) of a lease.
function compare(one, other) {
  if (one === null || other === null) return (one !== null) - (other !== null);
  return one[0] - other[0] || one[1] - other[1];
}

// RFC 3339 with an offset, of a day that there is.
function isInstant(value) {
  const [, year, month, day] = (isText(value) && INSTANT.exec(value)) || [];
  if (year === undefined) return false;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.toISOString().startsWith(`${year}-${month}-${day}T`);
}

// {lease}, {state}, or {reason, number}: what a record says, or why it says nothing. The first
// rule that it breaks is its answer.
function read({ key, value, headers }, keys) {
  if (value === null) return { reason: "TOMBSTONE", number: null };
  if (value.length > VALUE_BYTES_MAX) return { reason: "UNREADABLE", number: null };
  const doubt = doubtOf(value, headers, keys);
  if (doubt) return { reason: doubt, number: null };
  let said, isUnicode;
  try {
    ({ said, isUnicode } = parse(value));
  } catch {
    return { reason: "UNREADABLE", number: null };
  }
  if (!isObject(said)) return { reason: "UNREADABLE", number: null };
  const isOwn = key !== null && isText(said.scope) && Buffer.from(said.scope).equals(key);
  // Another scope's number would keep this one denied until it is as high.
  const pair = [said.epoch, said.seq];
  const number = isOwn && pair.every(isNumber) ? pair : null;
  const { schema_version = 1 } = said;
  if (schema_version !== 1) return { reason: "UNKNOWN_SCHEMA", number };
  if (key !== null && key.equals(Buffer.from("_lease"))) {
    return isUnicode && isLease(said) ? { lease: said } : { reason: "UNREADABLE", number: null };
  }
  if (number && isText(said.state) && !STATES.includes(said.state)) {
    return { reason: "UNKNOWN_STATE", number };
  }
  const isWhole = number && isUnicode && isState(said);
  if (!isWhole) return { reason: "UNREADABLE", number };
  return { state: said.state, number, parents: said.parent_scopes ?? [] };
}

// Whether the fields are all there and what they have to be. Only an absent one has a default.
function isState({ state, reason_code, evidence_hash, decided_at, inputs_through,
  parent_scopes = [] }) {
  return STATES.includes(state) && isText(reason_code) && isText(evidence_hash) &&
    isInstant(decided_at) && isObject(inputs_through) &&
    Object.values(inputs_through).every(isInteger) &&
    Array.isArray(parent_scopes) && parent_scopes.every(isText);
}

function isLease({ publisher_id, publisher_epoch, lease_seq, ttl_ms, state_head, covers = "all" }) {
  return isText(publisher_id) && isNumber(publisher_epoch) && isNumber(lease_seq) &&
    isInteger(ttl_ms) && isText(covers) && isObject(state_head) && isNumber(state_head.seq) &&
    isInteger(state_head.offset) && state_head.offset >= -1;
}

function doubtOf(value, headers, keys) {
  const signed = headers.filter(([name]) => SIGNED_BY.includes(name))
    .map(([name, said]) => [name, said ?? Buffer.alloc(0)]);
  const found = new Map(signed);
  if (signed.length !== 3 || found.size !== 3) return "BAD_SIGNATURE";
  if (found.get("alg").toString("latin1") !== "Ed25519") return "BAD_SIGNATURE";
  const key = keys.get(found.get("kid").toString("latin1"));
  if (!key) return "UNKNOWN_KEY";
  return verify(null, value, key, found.get("sig")) ? null : "BAD_SIGNATURE";
}

export class Follower {
  constructor(keys, { safetyMs = 500 } = {}) {
    this.keys = keys;
    this.safetyMs = safetyMs;
    this.scopes = new Map();
    this.seen = null; // the highest lease on the log ...
    this.seenAnchorMs = null; // ... and the last instant at which it was not there
    this.inForce = null;
    this.untilMs = null;
    this.readAgain();
  }

  // Also after each new connection: it may be another log. What was heard stays.
  readAgain() {
    for (const known of this.scopes.values()) {
      if (known.verdict === "GRANTED") known.verdict = "UNKNOWN_SCOPE"; // a yes must be read again
    }
    this.nextOffset = 0; // everything below it has been applied
    this.goal = null; // the end at the first look
    this.ends = []; // [asked at, end], both rising
  }

  get isCaughtUp() {
    return this.goal !== null && this.nextOffset >= this.goal;
  }

  // A question sent at `askedAtMs` was answered: the log ends before `end`. Null: somebody else
  // answers now. False if the log has gone back: read again from its beginning.
  noteEnd(askedAtMs, end) {
    if (end === null) {
      this.ends = [];
      return true;
    }
    const wentBack = end < Math.max(this.nextOffset, this.ends.at(-1)?.[1] ?? 0);
    if (wentBack) this.readAgain();
    if (this.ends.at(-1)?.[1] === end) this.ends.pop();
    this.ends.push([askedAtMs, end]);
    if (this.ends.length > ENDS_MAX) this.ends.shift();
    this.goal ??= end;
    return !wentBack;
  }

  // There is nothing more below `nextOffset`.
  passOver(nextOffset) {
    this.nextOffset = Math.max(this.nextOffset, nextOffset);
  }

  // The next record: {offset, key, value, headers: [[name, value]]}; Buffers, or null.
  apply(record) {
    if (record.offset < this.nextOffset) return;
    this.passOver(record.offset + 1);
    const said = read(record, this.keys);
    if (said.lease) this.applyLease(said.lease, record.offset);
    else this.applyState(record.key, said);
  }

  anchorMs(offset) {
    while (this.ends.length > 1 && this.ends[1][1] <= offset) this.ends.shift();
    return this.ends.length > 0 && this.ends[0][1] <= offset ? this.ends[0][0] : null;
  }

  applyLease(lease, offset) {
    const number = [lease.publisher_epoch, lease.lease_seq];
    if ((lease.covers ?? "all") !== "all" || lease.state_head.offset >= offset) return;
    if (compare(number, this.seen) <= 0) return;
    const [before, anchorMs] = [this.seen, this.seenAnchorMs];
    [this.seen, this.seenAnchorMs] = [number, this.anchorMs(offset)];
    const follows = before && before[0] === number[0] && before[1] === number[1] - 1;
    if (!follows || anchorMs === null) return;
    const untilMs = anchorMs + Math.min(lease.ttl_ms, LEASE_MS_MAX) - this.safetyMs;
    if (this.untilMs === null || untilMs > this.untilMs) {
      [this.untilMs, this.inForce] = [untilMs, number];
    }
  }

  applyState(key, said) {
    let scope;
    try {
      scope = key === null ? "" : keyText(key);
    } catch {
      return;
    }
    if (scope === "" || scope === "_lease") return;
    const known = this.scopes.get(scope) ?? { number: null, parents: [] };
    this.scopes.set(scope, known);
    if (said.reason) {
      known.verdict = said.reason;
      if (compare(said.number, known.number) > 0) known.number = said.number;
    } else if (compare(said.number, known.number) >= 0) {
      const isDenied = known.verdict === "OPEN" || known.verdict === "SUSPENDED";
      // Of two that say one number the one that denies is believed.
      if (compare(said.number, known.number) === 0 && isDenied && said.state === "CLOSED") return;
      known.number = said.number;
      known.parents = said.parents;
      known.verdict = said.state === "CLOSED" ? "GRANTED" : said.state;
    }
  }

  // May a payout leave that needs all `scopes`? `nowMs` by process.hrtime, null if nobody reads.
  permit(scopes, nowMs) {
    const relied_on = [];
    const [reason, denied_by] = this.judge(scopes, nowMs, relied_on);
    const granted = reason === "GRANTED";
    const [epoch, seq] = this.scopes.get(scopes[0])?.number ?? [null, null];
    const [publisher_epoch, lease_seq] = this.inForce ?? [null, null];
    return { granted, reason, scope: scopes[0], denied_by, epoch, seq, publisher_epoch, lease_seq,
      relied_on: granted ? relied_on : [] };
  }

  judge(scopes, nowMs, reliedOn) {
    if (nowMs === null) return ["NOT_RUNNING", null];
    if (!this.isCaughtUp) return ["NOT_CAUGHT_UP", null];
    if (this.untilMs === null) return ["NO_LEASE", null];
    if (nowMs >= this.untilMs) return ["LEASE_EXPIRED", null];
    const wanted = new Set(scopes); // a set may grow while it is walked
    for (const scope of wanted) {
      const known = this.scopes.get(scope);
      const verdict = known?.verdict ?? "UNKNOWN_SCOPE";
      if (verdict !== "GRANTED") {
        return [scopes.includes(scope) ? verdict : `PARENT_${verdict}`, scope];
      }
      reliedOn.push([scope, ...known.number]);
      known.parents.forEach((each) => wanted.add(each));
    }
    return ["GRANTED", null];
  }
}
