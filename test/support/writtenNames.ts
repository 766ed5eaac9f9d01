/** A handle or DID in the forms that people paste. */
export const pastedForms = (name: string): ReadonlyArray<string> => [
  name,
  `@${name}`,
  ` ${name}\n`,
  `at://${name}`,
  `AT://${name}`,
  // As bsky.app copies it, with direction marks around it.
  `\u202a@${name}\u202c`,
  `@\u2068${name}\u2069`,
  `\ufeff${name}\u200b`,
  `${name}\u00a0`
]

/** The same for names whose case doesn't matter. */
export const writtenForms = (name: string): ReadonlyArray<string> => [
  ...pastedForms(name),
  ...pastedForms(name.toUpperCase())
]
