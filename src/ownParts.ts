import type { Catalog } from "./core/lexicon/Catalog.ts"
import { checkReferences, readDocuments } from "./core/lexicon/given.ts"
import { builtInWith } from "./core/lexicon/Lexicons.ts"
import type { LexiconDocument, XrpcMethod } from "./http/host/ownMethod.ts"
import { problemOf } from "./http/host/ownMethods.ts"

/** An application's checked methods and lexicons. */
export interface OwnParts<Env> {
  readonly methods: ReadonlyMap<string, XrpcMethod<Env>>
  /** The network's lexicons and the application's. */
  readonly lexicons: Catalog
}

/**
 * Checks an application's methods and lexicons; throws a TypeError at start instead of failing
 * requests later.
 */
export const readOwnParts = <Env>({
  methods = [],
  lexicons = []
}: {
  readonly methods?: ReadonlyArray<XrpcMethod<Env>> | undefined
  readonly lexicons?: ReadonlyArray<LexiconDocument> | undefined
}): OwnParts<Env> => {
  for (const method of methods) {
    const problem = problemOf(method)
    if (problem !== undefined) throw new TypeError(problem)
  }
  const documents = readDocuments([...lexicons, ...methods.map(({ lexicon }) => lexicon)])
  const catalog = builtInWith(documents)
  checkReferences(catalog, documents)
  return {
    methods: new Map(methods.map((method) => [method.lexicon.id, method])),
    lexicons: catalog
  }
}
