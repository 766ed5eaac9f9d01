import { schemaVersion } from "../../src/core/host/schemaVersion.ts"

/** The parts of the repository's `package.json` that the packages use. */
export interface RootManifest {
  readonly version: string
  readonly description: string
  readonly license: string
  readonly repository?: unknown
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

const entry = (name: string) => ({
  types: `./dist/${name}.d.ts`,
  default: `./dist/${name}.js`
})

/**
 * The manifest of `nacre`: everything is bundled, so its only dependencies are those that an
 * entry's users provide.
 */
export const manifestOf = ({
  version,
  description,
  license,
  repository,
  dependencies
}: RootManifest) => ({
  name: "nacre",
  version,
  description,
  license,
  ...(repository === undefined ? {} : { repository }),
  keywords: ["atproto", "bluesky", "pds", "cloudflare-workers", "durable-objects"],
  type: "module",
  engines: { node: ">=22" },
  bin: { nacre: "dist/cli.js" },
  // nacre upgrade reads it before it deploys a version.
  nacre: { schemaVersion },
  exports: {
    ".": entry("index"),
    "./astro": entry("astro"),
    "./effect": entry("effect"),
    "./testing": entry("testing"),
    "./repo": {
      types: "./dist/repo.d.ts",
      workerd: "./dist/repo.js",
      node: "./dist/repo.js",
      default: "./dist/repo.web.js"
    },
    "./package.json": "./package.json"
  },
  files: ["dist", "deploy", "CHANGELOG.md"],
  sideEffects: false,
  // Effect's services are matched by identity, so nacre/effect works with exactly the version
  // that it was built with.
  peerDependencies: {
    "@astrojs/cloudflare": ">=14",
    "@effect/sql-d1": dependencies["@effect/sql-d1"],
    effect: dependencies["effect"]
  },
  peerDependenciesMeta: {
    "@astrojs/cloudflare": { optional: true },
    "@effect/sql-d1": { optional: true },
    effect: { optional: true }
  }
})

/** The manifest of `create-nacre`. */
export const createManifestOf = ({ version, license, repository }: RootManifest) => ({
  name: "create-nacre",
  version,
  description: "Creates a project for a Nacre server: npm create nacre my-pds",
  license,
  ...(repository === undefined ? {} : { repository }),
  keywords: ["atproto", "bluesky", "pds", "nacre"],
  type: "module",
  engines: { node: ">=22" },
  bin: { "create-nacre": "dist/create.js" },
  files: ["dist", "template"]
})
