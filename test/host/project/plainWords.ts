/** Phrases that no text for people uses, each with a plain alternative. */
export const habits: ReadonlyArray<readonly [habit: RegExp, instead: string]> = [
  [/\bwhoever\b/i, "anyone who, or the actor's name"],
  [/\banew\b/i, "again"],
  [/\bfor ever\b/i, "permanently"],
  [/\bto be had\b/i, "available"],
  [/\bgood once\b/i, "works once"],
  [/\b(?:is|are|be|been|was|were) told\b/i, "the server says, reports, announces"],
  [/\btold (?:as|from|of)\b/i, "announced as, distinguished from"],
  [/\b(?:is|are|was|were|be) made\b/i, "the server creates"],
  [/\bnone that\b/i, "no … that"],
  [/\b(?:is|are) none\b/i, "no …, or none yet"],
  [/\bis no [A-Z]?\w+ that\b/i, "isn't a"],
  [/\bby it\b/i, "with it, or the actor first"],
  [/\bso that\b/i, "so, to, or a sentence of its own"],
  [/\bshall\b/i, "should, or the present tense"],
  [/\bstands\b/i, "is"],
  [/\bstood\b/i, "was"],
  [/\blies (?:in|at|under|beside|open)\b/i, "is in"],
  [/\bleads (?:to|nowhere|here)\b/i, "points to"],
  [/\bone's\b/i, "your"],
  [/\bleft aside\b/i, "ignored"],
  [/\bis over\b/i, "has expired, has ended"],
  [/\bgoes on\b/i, "continues"],
  [/\bcannot be had\b/i, "isn't available"]
]

/** Texts that may use such a phrase, and why. */
export const exceptions: ReadonlyArray<{
  readonly file: string
  /** Without it, the whole file is exempt. */
  readonly text?: string
  readonly reason: string
}> = [
  { file: "CHANGELOG.md", reason: "entries of the past stay as they were" },
  { file: "docs/promises.md", reason: "quotes the names of tests in their own words" },
  { file: "docs/reference/api.md", reason: "generated from docblocks" },
  { file: "docs/reference/endpoints.md", reason: "generated, with descriptions from the lexicons" }
]
