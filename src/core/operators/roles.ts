/** The roles of operators: each may do what those after it may. */
export const roles = ["admin", "moderator", "inviter"] as const

/** What an operator may do. */
export type Role = (typeof roles)[number]

/** Whether a text is a role. */
export const isRole = (text: string): text is Role => roles.some((role) => role === text)

/** Whether a role may do what takes another. */
export const reaches = (role: Role, needed: Role): boolean =>
  roles.indexOf(role) <= roles.indexOf(needed)
