/**
 * What looks like a secret, whoever wrote the text. Guesses: it is for texts that should hold none in the first place.
 * Words that only speak of one, like “Missing authentication token”, are left alone: what follows has a digit in it.
 */
const secrets = [
  // The whole header, which may name several.
  /\b(?:set-)?cookie["']?\s*[:=].*/gi,
  /\b(?:proxy-)?authorization["']?\s*[:=].*/gi,
  /\bbearer\s+[\w.~+/=-]{8,}/gi,
  // A JSON web token, which is what Puter's are.
  /\beyJ[\w.-]{8,}/g,
  // Keys as their makers mark them, the bridge's own among them.
  /\b(?:sk|pk|pb|gh[a-z]|xox[a-z]|AIza)[-_]?(?=[\w-]{0,64}\d)[\w-]{16,}/g,
  /\b[\w-]{0,32}(?:token|secret|password|passwd|api[-_]?key|session[-_]?id|sid)["']?\s*[:=]\s*["']?(?=[^\s"',;&]{0,64}\d)[^\s"',;&]{6,}/gi,
  // Too long and too mixed for a word or a name.
  /\b(?=\w*\d)(?=\w*[a-z])(?=\w*[A-Z])\w{32,}/g,
  /\b[\da-f]{40,}\b/gi,
];

/** The text without what looks like a secret. */
export const redact = (text: string): string =>
  secrets.reduce((rest, secret) => rest.replace(secret, '[redacted]'), text);
