/** The exports of the Astro adapter, which is a peer dependency and not installed here. */
declare module "@astrojs/cloudflare/handler" {
  export const handle: (
    request: Request,
    env: Record<string, unknown>,
    ctx: ExecutionContext
  ) => Promise<Response>
}
