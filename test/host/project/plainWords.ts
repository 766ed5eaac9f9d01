/** Phrases that no text for people uses, each with a plain alternative. */
export const habits: ReadonlyArray<readonly [habit: RegExp, instead: string]> = [
  [/\bwhoever\b/i, "anyone who, or the actor's name"],
  [/\banew\b/i, "again"],
  [/\bfor ever\b/i, "permanently"],
  [/\bto be had\b/i, "available"],
  [/\bgood once\b/i, "works once"],
  [/\b(?:is|are|be|been|was|were) told\b/i, "the server says, reports, announces"],
  [/\b(?:n't|not) told\b/i, "isn't notified, doesn't learn"],
  [/\blets? go\b/i, "drops, forgets"],
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

/** Habits that are plain English in comments and names of tests, though not in texts for people. */
const plainInCode: ReadonlySet<string> = new Set([
  // “the next one's `prev`”
  String.raw`\bone's\b`,
  // “undefined if there is none”
  String.raw`\b(?:is|are) none\b`
])

/** Phrases that no comment, docblock or test name uses, each with a plain alternative. */
export const codeHabits: typeof habits = [
  ...habits.filter(([habit]) => !plainInCode.has(habit.source)),
  [/; (?:answers|gives)\b/i, "returns"],
  [/\b(?:undefined|nothing|empty|none|null|false|true) where\b/i, "if"],
  [/\bhand(?:s|ed) on\b/i, "forwards, passes"],
  [/\b(?:becomes?|became) of\b/i, "the outcome"],
  [/\bcomes? about\b/i, "happens"],
  [/\bas (?:it|they) stands?\b/i, "unchanged, verbatim"],
  [/\bby way of\b/i, "through"],
  [/\bwill not do\b/i, "is invalid"],
  [/\bnot any more\b/i, "no longer"]
]

/** The beginning of a test name without a subject: a verb, a pronoun, or a preposition. */
export const withoutSubject =
  /^(?:it|its|they|their|what|whoever|without|is|are|was|were|has|have|does|do|doesn't|isn't|can|may|must|never|keeps|gives|takes|lets|makes|tells|shows|names|comes|come|goes|leaves|lists|finds|opens|passes|fails|brings|copies|stores|sorts|counts|puts|refuses|rejects|accepts|returns|throws|binds|quotes|serves|sends|answers|in|by|under|that|where) /

/** Texts that may use such a phrase, and why. */
export const exceptions: ReadonlyArray<{
  readonly file: string
  /** Without it, the whole file or folder is exempt. */
  readonly text?: string
  readonly reason: string
}> = [
  { file: "CHANGELOG.md", reason: "entries of the past stay as they were" },
  { file: "docs/reference/endpoints.md", reason: "generated, with descriptions from the lexicons" }
]
