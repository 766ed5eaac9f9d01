import { type JsonObject, isObject, listAt, objectAt, textAt } from "./json.ts"
import { authorityOf } from "./local.ts"

/** A request to the AppView, and how to read the views in its response, by URI. */
export interface Question {
  readonly lxm:
    | "app.bsky.feed.getFeedGenerators"
    | "app.bsky.feed.getPosts"
    | "app.bsky.graph.getList"
    | "app.bsky.graph.getStarterPacks"
    | "app.bsky.labeler.getServices"
  readonly params: ReadonlyArray<readonly [name: string, value: string]>
  readonly views: (answer: unknown) => ReadonlyArray<JsonObject>
}

/** The most URIs in one request, by the lexicons. */
const maxNamed = 25

/** The most requests for one response. */
const maxQuestions = 6

const typed = (views: ReadonlyArray<unknown>, $type: string): ReadonlyArray<JsonObject> =>
  views.filter(isObject).map((view) => ({ ...view, $type }))

const named = (name: string, uris: ReadonlyArray<string>): Question["params"] =>
  uris.slice(0, maxNamed).map((uri) => [name, uri])

/** The requests for each kind of record that a post may quote. */
const kinds: Readonly<Record<string, (uris: ReadonlyArray<string>) => ReadonlyArray<Question>>> = {
  "app.bsky.feed.post": (uris) =>
    [uris, uris.slice(maxNamed)]
      .filter((some) => some.length > 0)
      .map((some) => ({
        lxm: "app.bsky.feed.getPosts",
        params: named("uris", some),
        views: (answer) => listAt(answer, "posts").filter(isObject)
      })),
  "app.bsky.feed.generator": (uris) => [
    {
      lxm: "app.bsky.feed.getFeedGenerators",
      params: named("feeds", uris),
      views: (answer) => typed(listAt(answer, "feeds"), "app.bsky.feed.defs#generatorView")
    }
  ],
  "app.bsky.graph.starterpack": (uris) => [
    {
      lxm: "app.bsky.graph.getStarterPacks",
      params: named("uris", uris),
      views: (answer) =>
        typed(listAt(answer, "starterPacks"), "app.bsky.graph.defs#starterPackViewBasic")
    }
  ],
  "app.bsky.labeler.service": (uris) => [
    {
      lxm: "app.bsky.labeler.getServices",
      params: named("dids", uris.map(authorityOf)),
      views: (answer) => typed(listAt(answer, "views"), "app.bsky.labeler.defs#labelerView")
    }
  ],
  "app.bsky.graph.list": (uris) =>
    uris.map((uri) => ({
      lxm: "app.bsky.graph.getList",
      params: [
        ["list", uri],
        ["limit", "1"]
      ],
      views: (answer) => {
        const list = objectAt(answer, "list")
        return list === undefined ? [] : typed([list], "app.bsky.graph.defs#listView")
      }
    }))
}

/** The requests that are needed to show these records; none for unsupported kinds. */
export const questionsFor = (uris: Iterable<string>): ReadonlyArray<Question> => {
  const byKind = new Map<string, Array<string>>()
  for (const uri of new Set(uris)) {
    const kind = uri.split("/")[3] ?? ""
    byKind.set(kind, [...(byKind.get(kind) ?? []), uri])
  }
  return [...byKind]
    .flatMap(([kind, some]) => (Object.hasOwn(kinds, kind) ? kinds[kind]!(some) : []))
    .slice(0, maxQuestions)
}

/** The views in a response, by URI. */
export const answered = (
  question: Question,
  answer: unknown
): ReadonlyArray<readonly [uri: string, view: JsonObject]> =>
  question.views(answer).flatMap((view) => {
    const uri = textAt(view, "uri")
    return uri === undefined ? [] : [[uri, view] as const]
  })
