/** What the packages take from the repository's `package.json`. */
export interface RootManifest {
  readonly version: string
  readonly description: string
  readonly license: string
  readonly repository?: unknown
  readonly devDependencies: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
}

const entry = (name: string) => ({
  types: `./dist/${name}.d.ts`,
  default: `./dist/${name}.js`
})

/** The manifest of `nacre`: everything is bundled, so it depends on nothing but what an entry's users have. */
export const manifestOf = ({ version, description, license, repository }: RootManifest) => ({
  name: "nacre",
  version,
  description,
  license,
  ...(repository === undefined ? {} : { repository }),
  keywords: ["atproto", "bluesky", "pds", "cloudflare-workers", "durable-objects"],
  type: "module",
  engines: { node: ">=22" },
  bin: { nacre: "dist/cli.js" },
  exports: {
    ".": entry("index"),
    "./astro": entry("astro"),
    "./testing": entry("testing"),
    "./repo": {
      types: "./dist/repo.d.ts",
      workerd: "./dist/repo.js",
      node: "./dist/repo.js",
      default: "./dist/repo.web.js"
    },
    "./package.json": "./package.json"
  },
  files: ["dist", "CHANGELOG.md"],
  sideEffects: false,
  peerDependencies: { "@astrojs/cloudflare": ">=14" },
  peerDependenciesMeta: { "@astrojs/cloudflare": { optional: true } }
})
