import { spawn, spawnSync } from "node:child_process"

/** A user's environment: this Node, but nothing from an earlier run or the repository. */
export const environment: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_|NACRE_|DATA_DIR$|PLC_URL$|PUBLIC_URL$)/.test(name)
    )
  ),
  WRANGLER_SEND_METRICS: "false",
  // What npm has downloaded once it doesn't ask for again.
  npm_config_prefer_offline: "true"
}

/** Fails unless a condition holds. */
export const must = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(`not so: ${what}`)
}

/** Runs a program to its end; returns its output. */
export const run = (cwd: string, program: string, ...args: ReadonlyArray<string>): string => {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: environment,
    encoding: "utf8"
  })
  if (status === 0) return stdout + stderr
  throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`)
}

/** Serves a project with `nacre dev`, as its owner would, while `use` runs; `command` is the installed `cli.js`. */
export const serving = async (
  { folder, command, port }: { folder: string; command: string; port: number },
  use: (url: string) => Promise<void>
): Promise<void> => {
  const child = spawn(process.execPath, [command, "dev"], {
    cwd: folder,
    env: { ...environment, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  const ended = new Promise<void>((done) => child.once("close", () => done()))
  try {
    await new Promise<void>((ready, failed) => {
      const hear = (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes("Stop with Ctrl-C")) ready()
      }
      child.stdout.on("data", hear)
      child.stderr.on("data", hear)
      child.once("close", () => failed(new Error("nacre dev ended")))
    })
    await use(`http://localhost:${port}`)
  } catch (cause) {
    throw new Error(`${String(cause)}\n${output}`, { cause })
  } finally {
    child.kill("SIGTERM")
    await ended
  }
}
