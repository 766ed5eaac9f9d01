// better-sqlite3's calls that the reference makes, over Node's own SQLite, which needs no compiler.
const { DatabaseSync } = require("node:sqlite")

// The codes that the reference asks for, by SQLite's numbers.
const codes = {
  5: "SQLITE_BUSY",
  261: "SQLITE_BUSY_RECOVERY",
  517: "SQLITE_BUSY_SNAPSHOT",
  773: "SQLITE_BUSY_TIMEOUT",
  2067: "SQLITE_CONSTRAINT_UNIQUE"
}

/** Calls SQLite; its errors bear the codes that better-sqlite3 gives them. */
const withCodes = (call) => {
  try {
    return call()
  } catch (error) {
    throw Object.assign(error, { code: codes[error.errcode] ?? error.code })
  }
}

const valueOf = (value) =>
  value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value

/** A row as a plain object, with buffers for bytes. */
const rowOf = (row) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, valueOf(value)]))

module.exports = class Database {
  #database

  constructor(path, { timeout }) {
    this.#database = withCodes(() => new DatabaseSync(path, { timeout }))
  }

  pragma(text) {
    withCodes(() => this.#database.exec(`PRAGMA ${text}`))
  }

  prepare(sql) {
    const statement = withCodes(() => this.#database.prepare(sql))
    return {
      reader: statement.columns().length > 0,
      all: (values) => withCodes(() => statement.all(...values)).map(rowOf),
      run: (values) => withCodes(() => statement.run(...values))
    }
  }

  close() {
    this.#database.close()
  }
}
