import type { AtpAgent } from "@atproto/api"
import { adminOf } from "../support/server/serverPeople.ts"
import type { Side } from "./moveByClient.ts"
import type { World } from "./world.ts"

/** Somebody at this project's server, which sends no mail: the administrator reads the codes. */
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

/** Somebody at the reference, who reads the codes in their mail. */
export const atOld = ({ old }: World, agent: AtpAgent, email: string): Side => ({
  agent,
  code: async (ask) => {
    const before = old.mails.length
    await ask()
    return old.code(email, before)
  }
})
