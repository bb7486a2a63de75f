// JSON as every reader of recon.breaker takes it. JSON.parse alone believes the last of two fields
// of one name, where another reader believes the first, and takes 1.0 or 1e0 for an integer.

const TOKEN = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}[\]]|-?\d[\d.eE+-]*/g;

// {said, isUnicode}: what the bytes say, with null for numbers that are no plain integers; and
// whether every text in it is text. Throws on everything that is no JSON in UTF-8.
export function parse(bytes) {
  const source = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  JSON.parse(source); // throws; from here on brackets match and texts end
  const open = []; // the names in each object around; null for a list
  let isUnicode = true;
  const plain = source.replace(TOKEN, (token, text, colon) => {
    if (token === "{" || token === "[") open.push(token === "{" ? new Set() : null);
    else if (token === "}" || token === "]") open.pop();
    else if (text === undefined) return /^-?\d+$/.test(token) ? token : "null";
    else {
      const said = JSON.parse(text);
      isUnicode &&= said.isWellFormed();
      if (colon !== undefined && open.at(-1).has(said)) throw new Error(`twice: ${said}`);
      if (colon !== undefined) open.at(-1).add(said);
    }
    return token;
  });
  return { said: JSON.parse(plain), isUnicode };
}
