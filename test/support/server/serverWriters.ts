import { type Person, post } from "./serverPeople.ts"

/** A seeded generator of numbers from 0 to 1. */
export const random = (seed: number) => {
  let state = seed
  return (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** The writes that a writer got confirmed: path to CID. */
export type Acknowledged = Map<string, string>

const collection = "app.bsky.feed.post"

const sortable = "234567abcdefghijklmnopqrstuvwxyz"

/** A number in the alphabet of TIDs. */
const digits = (n: number, length: number) =>
  n
    .toString(32)
    .replace(/[0-9a-v]/g, (digit) => sortable[Number.parseInt(digit, 32)]!)
    .padStart(length, "2")

/** Record keys (TIDs) that no other writer uses. */
const keys = (writer: number) => {
  let count = 0
  return () => `3k${digits((count += 1), 8)}${digits(writer, 3)}`
}

/** A step of a writer, whose record keys are its own. */
const makeStep = ({ agent, did }: Person, writer: number, acknowledged: Acknowledged) => {
  const next = random(writer)
  const key = keys(writer)
  const text = () => post(`${writer} ${next()}`)
  const { repo } = agent.com.atproto
  const own = () => [...acknowledged.keys()].map((path) => path.split("/")[1]!)
  const any = () => own()[Math.floor(next() * acknowledged.size)]

  const put = async (rkey: string) => {
    const { data } = await repo.putRecord({ repo: did, collection, rkey, record: text() })
    acknowledged.set(`${collection}/${rkey}`, data.cid)
  }
  const remove = async (rkey: string) => {
    await repo.deleteRecord({ repo: did, collection, rkey })
    acknowledged.delete(`${collection}/${rkey}`)
  }
  const batch = async () => {
    const gone = own().filter(() => next() < 0.1)
    const made = Array.from({ length: Math.ceil(next() * 8) }, key)
    const prefix = "com.atproto.repo.applyWrites"
    const { data } = await repo.applyWrites({
      repo: did,
      writes: [
        ...made.map((rkey) => ({
          $type: `${prefix}#create` as const,
          collection,
          rkey,
          value: text()
        })),
        ...gone.map((rkey) => ({ $type: `${prefix}#delete` as const, collection, rkey }))
      ]
    })
    made.forEach((rkey, at) => {
      acknowledged.set(`${collection}/${rkey}`, (data.results![at] as { cid: string }).cid)
    })
    for (const rkey of gone) acknowledged.delete(`${collection}/${rkey}`)
  }
  return async () => {
    const dice = next()
    const rkey = any()
    if (rkey === undefined || dice < 0.4) await put(key())
    else if (dice < 0.6) await put(rkey)
    else if (dice < 0.8) await remove(rkey)
    else await batch()
  }
}

/** Writes at random until stopped, or until the server is gone. */
export const startWriter = (person: Person, writer: number) => {
  const acknowledged: Acknowledged = new Map()
  const step = makeStep(person, writer, acknowledged)
  const end = new AbortController()
  let steps = 0
  const run = async () => {
    while (!end.signal.aborted) {
      await step()
      steps += 1
    }
  }
  const ended = run()
  // Handled where it is awaited.
  ended.catch(() => {})
  return {
    acknowledged,
    steps: () => steps,
    /** Stops after the current write; fails if any was rejected. */
    stop: () => {
      end.abort()
      return ended
    },
    /** Stops without waiting for the current write's outcome. */
    abandon: async () => {
      end.abort()
      await ended.catch(() => {})
    }
  }
}
