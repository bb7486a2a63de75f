// Plays breaker-guard.json to the guard beside this file: node conformance/node/run.mjs

import { deepStrictEqual, strictEqual } from "node:assert";
import { readFileSync } from "node:fs";
import { Follower, loadKeys } from "./guard.mjs";

const bytes = (text) => (text === null ? null : Buffer.from(text, "base64"));

function recordOf({ offset, key, value, value_times: times = 1, spaces = 0, headers }) {
  const once = bytes(value);
  return {
    offset,
    key: bytes(key),
    value: once && Buffer.concat([...Array(times).fill(once), Buffer.alloc(spaces, " ")]),
    headers: headers.map(([name, each]) => [name, bytes(each)]),
  };
}

function play(step, follower) {
  if (step.end) {
    const isSameLog = follower.noteEnd(step.end.asked_at_ms, step.end.end);
    strictEqual(isSameLog, !(step.went_back ?? false), "whether the log went back");
  } else if (step.record) {
    follower.apply(recordOf(step.record));
  } else if (step.pass_over !== undefined) {
    follower.passOver(step.pass_over);
  } else {
    const answer = follower.permit(step.ask.scopes, step.ask.at_ms);
    for (const [name, expected] of Object.entries(step.expect)) {
      deepStrictEqual(answer[name], expected, `${name} of ${JSON.stringify(answer)}`);
    }
  }
}

const suite = JSON.parse(readFileSync(new URL("../breaker-guard.json", import.meta.url), "utf8"));
let passed = 0;
for (const { name, steps } of suite.cases) {
  const follower = new Follower(loadKeys(suite.keys), { safetyMs: suite.safety_ms });
  try {
    steps.forEach((step) => play(step, follower));
    passed += 1;
  } catch (failure) {
    console.log(`FAIL ${name}\n     ${failure.message}`);
  }
}
console.log(`${passed} of ${suite.cases.length} cases pass`);
process.exitCode = passed === suite.cases.length ? 0 : 1;
