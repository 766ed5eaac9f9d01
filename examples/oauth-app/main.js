/**
 * A web app without a server: signs in by OAuth at the PDS of the account, and posts.
 *
 * On 127.0.0.1 the client needs no metadata of its own; elsewhere, publish one and load it by its URL.
 */
import { Agent } from "@atproto/api"
import { BrowserOAuthClient } from "@atproto/oauth-client-browser"

const said = document.querySelector("#said")
const signIn = document.querySelector("#sign-in")
const post = document.querySelector("#post")

const scope = "atproto repo:app.bsky.feed.post?action=create"

const client = await BrowserOAuthClient.load({
  clientId: `http://localhost?${new URLSearchParams({
    redirect_uri: `http://127.0.0.1:${location.port}/`,
    scope
  })}`,
  handleResolver: "https://bsky.social"
})

const session = (await client.init())?.session
signIn.hidden = session !== undefined
post.hidden = session === undefined

signIn.addEventListener("submit", (event) => {
  event.preventDefault()
  const { handle } = Object.fromEntries(new FormData(signIn))
  client.signIn(handle, { scope }).catch((error) => (said.textContent = error.message))
})

post.addEventListener("submit", async (event) => {
  event.preventDefault()
  const { text } = Object.fromEntries(new FormData(post))
  const { uri } = await new Agent(session).post({ text, createdAt: new Date().toISOString() })
  said.textContent = `Posted ${uri}`
})
