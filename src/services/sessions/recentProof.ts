/** How long somebody may change who can get in after they have shown who they are, in milliseconds. */
export const recentMillis = 15 * 60_000
