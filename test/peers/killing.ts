import { type Desk, stopWhen } from "../cli/command.ts"

/** Runs the command, and kills it as soon as its messages match; returns whether they did. */
export const killWhen = async (
  desk: Desk,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>,
  matches: RegExp
): Promise<{ readonly killed: boolean; readonly stderr: string }> => {
  const { code, stderr } = await stopWhen(desk, args, env, matches, "SIGKILL")
  return { killed: code === null, stderr }
}
