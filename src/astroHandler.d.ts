/** What the Astro adapter of the site that uses `nacre/astro` has: it is a peer and not installed here. */
declare module "@astrojs/cloudflare/handler" {
  export const handle: (
    request: Request,
    env: Record<string, unknown>,
    ctx: ExecutionContext
  ) => Promise<Response>
}
