import type { AtpAgent } from "@atproto/api"
import { adminOf } from "../support/server/serverPeople.ts"
import type { Side } from "./moveByClient.ts"
import type { World } from "./world.ts"

/** A session at this project's server, which sends no mail: the administrator reads the codes. */
export const atNacre = ({ nacre }: World, agent: AtpAgent): Side => ({
  agent,
  code: async (ask) => {
    await ask()
    const url = `${nacre.url}/admin/codes?account=${encodeURIComponent(agent.assertDid)}`
    const answer = await fetch(url, adminOf(nacre))
    const { codes } = (await answer.json()) as { codes: ReadonlyArray<{ readonly code: string }> }
    return codes.at(-1)!.code
  }
})

/** A session at the reference, with the codes from its mail. */
export const atOld = ({ old }: World, agent: AtpAgent, email: string): Side => ({
  agent,
  code: async (ask) => {
    const before = old.mails.length
    await ask()
    return old.code(email, before)
  }
})
