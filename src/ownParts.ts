import type { Catalog } from "./core/lexicon/Catalog.ts"
import { checkReferences, readDocuments } from "./core/lexicon/given.ts"
import { builtInWith } from "./core/lexicon/Lexicons.ts"
import type { LexiconDocument, XrpcMethod } from "./http/host/ownMethod.ts"
import { problemOf } from "./http/host/ownMethods.ts"

/** The checked methods and lexicons that an application adds. */
export interface OwnParts<Env> {
  readonly methods: ReadonlyMap<string, XrpcMethod<Env>>
  /** The network's lexicons and the added ones. */
  readonly lexicons: Catalog
}

/** Checks added methods and lexicons; throws a TypeError at start rather than failing a request later. */
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
