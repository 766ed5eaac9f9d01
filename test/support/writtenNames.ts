/** A handle or DID as people paste it. */
export const pastedForms = (name: string): ReadonlyArray<string> => [
  name,
  `@${name}`,
  ` ${name}\n`,
  `at://${name}`,
  `AT://${name}`,
  // As bsky.app copies it, with direction marks around.
  `\u202a@${name}\u202c`,
  `@\u2068${name}\u2069`,
  `\ufeff${name}\u200b`,
  `${name}\u00a0`
]

/** The same for names whose case does not matter. */
export const writtenForms = (name: string): ReadonlyArray<string> => [
  ...pastedForms(name),
  ...pastedForms(name.toUpperCase())
]
