/**
 * Runs the built `nacre/repo` on a real repo in Node, workerd and Chromium, and compares the
 * results.
 */
import { readFileSync, statSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { gzipSync } from "node:zlib"
import { convertV4MiniflareOptions, Miniflare } from "miniflare"
import { startBrowser } from "../../test/support/browser/browser.ts"
import { must } from "../package/running.ts"

/** The largest size of a build, gzipped. */
const limit = 40 * 1024

/** A repo's bytes, and the DID and key to verify them. */
interface Sample {
  readonly car: Uint8Array
  readonly did: string
  readonly signingKey: string
}

/**
 * The function that runs everywhere: the library's result for a repo, and for one with a wrong
 * byte.
 */
const judge = `async ({ encode, decode, verifyRepo }, car, { did, signingKey }) => {
  const { rev, records } = await verifyRepo(car, { did, signingKey })
  const values = [...records.values()].map(({ path, value }) => [path, value().text])
  const broken = car.slice()
  broken[broken.length - 5] ^= 1
  const refused = await verifyRepo(broken, { did, signingKey }).then(
    () => "accepted",
    (error) => error.name
  )
  return { rev, values, refused, bytes: encode(decode(encode({ text: "hello" }))).length }
}`

/** A repo with posts, from the built server for tests. */
const sampleFrom = async (dist: string): Promise<Sample> => {
  const { startPds }: typeof import("../../src/testing.ts") = await import(
    pathToFileURL(join(dist, "testing.js")).href
  )
  const pds = await startPds({ accounts: ["alice"] })
  const { did } = pds.accounts.alice
  for (const text of ["one", "two", "three"]) {
    const record = { text, createdAt: new Date().toISOString() }
    const input = { repo: did, collection: "app.bsky.feed.post", record }
    await pds.call("com.atproto.repo.createRecord", { as: pds.accounts.alice, input })
  }
  const car = await fetch(`${pds.url}/xrpc/com.atproto.sync.getRepo?did=${did}`)
  const document = await fetch(`${pds.plcUrl}/${did}/data`)
  // SAFETY: the directory returns the data of a known DID.
  const { verificationMethods } = (await document.json()) as {
    verificationMethods: { atproto: string }
  }
  const sample = {
    car: new Uint8Array(await car.arrayBuffer()),
    did,
    signingKey: verificationMethods.atproto
  }
  await pds.stop()
  return sample
}

const inNode = async (dist: string, { car, ...by }: Sample): Promise<string> => {
  const library = await import(pathToFileURL(join(dist, "repo.js")).href)
  // The same code runs in all three.
  const run = new Function(`return ${judge}`)()
  return JSON.stringify(await run(library, car, by))
}

const inWorkerd = async (dist: string, { car, ...by }: Sample): Promise<string> => {
  const main = `import * as library from "./repo.js"
export default {
  async fetch(request) {
    const car = new Uint8Array(await request.arrayBuffer())
    return Response.json(await (${judge})(library, car, ${JSON.stringify(by)}))
  }
}`
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      compatibilityDate: "2026-09-01",
      compatibilityFlags: ["nodejs_compat"],
      modules: [
        { type: "ESModule", path: "main.mjs", contents: main },
        { type: "ESModule", path: "repo.js", contents: readFileSync(join(dist, "repo.js"), "utf8") }
      ]
    })
  )
  const response = await miniflare.dispatchFetch("http://localhost/", { method: "POST", body: car })
  const text = await response.text()
  await miniflare.dispose()
  return text
}

const inChromium = async (dist: string, { car, ...by }: Sample): Promise<string> => {
  const server = createServer((request, response) => {
    const isLibrary = request.url === "/repo.js"
    response.setHeader("content-type", isLibrary ? "text/javascript" : "text/html")
    if (request.url === "/car") response.end(car)
    else response.end(isLibrary ? readFileSync(join(dist, "repo.web.js")) : "<title>repo</title>")
  })
  await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens))
  // SAFETY: it listens on a port.
  const { port } = server.address() as AddressInfo
  const browser = await startBrowser()
  try {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${port}/`)
    return await page.evaluate(`(async () => {
      const library = await import("/repo.js")
      const car = new Uint8Array(await (await fetch("/car")).arrayBuffer())
      return JSON.stringify(await (${judge})(library, car, ${JSON.stringify(by)}))
    })()`)
  } finally {
    await browser.close()
    server.close()
  }
}

/** Runs the library everywhere; returns its sizes in words. */
export const runLibrary = async (dist: string): Promise<string> => {
  const sizes = ["repo.js", "repo.web.js"].map((name) => {
    const size = gzipSync(readFileSync(join(dist, name))).byteLength
    must(size < limit, `${name} takes less than ${limit} bytes gzipped, not ${size}`)
    must(statSync(join(dist, name)).size > 0, `${name} has content`)
    return `${name} ${(size / 1024).toFixed(1)} KiB`
  })
  const sample = await sampleFrom(dist)
  const node = await inNode(dist, sample)
  const { values, refused } = JSON.parse(node)
  must(values.length === 3, `Node finds three records: ${node}`)
  must(refused !== "accepted", "Node refuses a repo with a wrong byte")
  const workerd = await inWorkerd(dist, sample)
  must(workerd === node, `workerd says what Node says: ${workerd}, not ${node}`)
  const browser = await inChromium(dist, sample)
  must(browser === node, `Chromium says what Node says: ${browser}, not ${node}`)
  return sizes.join(", ")
}
