/** The roles of operators; each includes those after it. */
export const roles = ["admin", "moderator", "inviter"] as const

/** The role of an operator. */
export type Role = (typeof roles)[number]

/** Whether a text is a role. */
export const isRole = (text: string): text is Role => roles.some((role) => role === text)

/** Whether a role includes another. */
export const reaches = (role: Role, needed: Role): boolean =>
  roles.indexOf(role) <= roles.indexOf(needed)
