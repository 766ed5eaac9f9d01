import { type Host, origin } from "./httpHost.ts"

/** A form of a page: its action and its fields. */
export interface PageForm {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

/** A page that a browser shows. */
export interface Shown {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The target of a redirect. */
  readonly location: string | undefined
  /** The form whose action ends with a path. */
  form(action: string): PageForm
  has(action: string): boolean
}

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&#96;": "`"
}

/** Unescapes HTML text. */
export const unescape = (html: string): string =>
  html.replace(/&(?:amp|lt|gt|quot|#39|#96);/g, (entity) => entities[entity]!)

const attribute = (tag: string, name: string): string | undefined => {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]
  return value === undefined ? undefined : unescape(value)
}

const formsOf = (html: string): ReadonlyArray<PageForm> =>
  [...html.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, tag = "", content = ""]) => ({
    action: attribute(tag, "action") ?? "",
    fields: Object.fromEntries(
      [...content.matchAll(/<(?:input|option)([^>]*)>/g)].flatMap(([, input = ""]) => {
        const name = attribute(input, "name")
        const isChoice = ["checkbox", "radio"].includes(attribute(input, "type") ?? "")
        const isOff = isChoice && !/\schecked/.test(input)
        return name === undefined || isOff ? [] : [[name, attribute(input, "value") ?? ""]]
      })
    )
  }))

/** A browser: it keeps cookies and sends the headers that browsers send. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #host: Pick<Host, "handler">
  readonly #address: string

  constructor(host: Pick<Host, "handler">, address = "192.0.2.1") {
    this.#host = host
    this.#address = address
  }

  async #send(path: string, init: RequestInit & { readonly headers: Record<string, string> }) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ")
    const headers = {
      "cf-connecting-ip": this.#address,
      "user-agent": "Tests/1.0",
      ...(cookie === "" ? {} : { cookie }),
      ...init.headers
    }
    const response = await this.#host.handler(
      new Request(new URL(path, origin), { ...init, headers })
    )
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      this.cookies.set(name!, value!)
    }
    const text = await response.text()
    const forms = formsOf(text)
    const find = (action: string) => forms.find((form) => form.action.endsWith(action))
    const shown: Shown = {
      status: response.status,
      headers: response.headers,
      text,
      location: response.headers.get("location") ?? undefined,
      has: (action) => find(action) !== undefined,
      form: (action) => {
        const form = find(action)
        if (form === undefined)
          throw new Error(`no form leads to ${action}: ${response.status} ${text}`)
        return form
      }
    }
    return shown
  }

  /** Navigates to a page, from an app or by a link. */
  get(path: string, headers: Record<string, string> = {}): Promise<Shown> {
    return this.#send(path, {
      headers: {
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-site": "cross-site",
        ...headers
      }
    })
  }

  /** Submits a form with these fields; omits undefined ones. */
  post(
    form: PageForm,
    filled: Readonly<Record<string, string | undefined>> = {},
    headers: Record<string, string> = {}
  ): Promise<Shown> {
    const fields = Object.entries({ ...form.fields, ...filled }).filter(
      (field): field is [string, string] => field[1] !== undefined
    )
    return this.send(form.action, new URLSearchParams(fields).toString(), headers)
  }

  /** Sends a body as a form of the server's pages would. */
  send(path: string, body: string, headers: Record<string, string> = {}): Promise<Shown> {
    return this.#send(path, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        origin,
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-site": "same-origin",
        ...headers
      }
    })
  }

  /** Submits a form and follows the server's own redirects. */
  async submit(
    form: PageForm,
    filled?: Readonly<Record<string, string | undefined>>
  ): Promise<Shown> {
    let shown = await this.post(form, filled)
    while (shown.status === 303 && shown.location?.startsWith("/") === true) {
      shown = await this.get(shown.location, { "sec-fetch-site": "same-origin" })
    }
    return shown
  }
}
