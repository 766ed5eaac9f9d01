import { Hono } from "hono"
import { createNacre } from "nacre"

const site = new Hono()
  .get("/", (context) => context.text("A site by Hono"))
  .get("/hello/:name", (context) => context.json({ hello: context.req.param("name") }))

const nacre = createNacre({ fallback: (request, env, ctx) => site.fetch(request, env, ctx) })

export class Account extends nacre.Account {}
export class Sequencer extends nacre.Sequencer {}
export class Limiter extends nacre.Limiter {}
export default { fetch: nacre.fetch, scheduled: nacre.scheduled }
