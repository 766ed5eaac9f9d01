import { build } from "esbuild"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type { AppSettings } from "./app.ts"
import type { TestServer } from "../server/server.ts"

/** A browser app, served on this machine. */
export interface ServedApp {
  /** `http://127.0.0.1:<port>/` */
  readonly url: string
  readonly clientId: string
  close(): Promise<void>
}

const page = `<!doctype html><title>An app</title><h1>An app</h1><script type="module" src="/app.js"></script>`

/** The test app with the official client: its scripts by path, the first one `/app.js`. */
export const bundleApp = async (): Promise<ReadonlyMap<string, string>> => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, "app.ts")],
    bundle: true,
    // What the app imports on demand is a file of its own.
    splitting: true,
    outdir: "/",
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2024",
    minify: true,
    keepNames: true,
    logLevel: "error"
  })
  return new Map(outputFiles.map(({ path, text }) => [path, text]))
}

/** Serves responses on a free port of 127.0.0.1. */
export const listen = async (
  answer: (path: string) => readonly [type: string, body: string] | undefined
) => {
  const server = createServer({ keepAliveTimeout: 0 }, ({ url = "/" }, response) => {
    const found = answer(url.split("?")[0]!)
    if (found === undefined) response.writeHead(404).end()
    else response.writeHead(200, { "content-type": found[0] }).end(found[1])
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  // SAFETY: it listens on a port, not on a pipe.
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port, close }
}

/** Serves the app; each instance has its own origin and is therefore a separate client. */
export const serveApp = async (
  scripts: ReadonlyMap<string, string>,
  { publicUrl, plcUrl }: TestServer,
  scope: string
): Promise<ServedApp> => {
  const settings = (): AppSettings => ({ clientId, server: publicUrl, plc: plcUrl })
  const { port, close } = await listen((path) => {
    if (path === "/") return ["text/html", page]
    if (path === "/settings.json") return ["application/json", JSON.stringify(settings())]
    const script = scripts.get(path)
    return script === undefined ? undefined : ["text/javascript", script]
  })
  const url = `http://127.0.0.1:${port}/`
  const clientId = `http://localhost?${new URLSearchParams({ redirect_uri: url, scope })}`
  return { url, clientId, close }
}
