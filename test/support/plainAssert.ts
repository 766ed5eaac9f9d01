import { chai } from "vitest"

// Chai wraps each assertion in proxies, which name misspelled properties and take most of its time.
// The compiler names them as well.
chai.config.useProxy = false
