import DrillCore
import DrillWorkload

/// docs/CLIENTS.md: every client from the catalog, and how to write one of your own.
package enum ClientReference {
    /// Ends with a line feed.
    package static var markdown: String {
        var lines = ["| client | operations | |", "|---|---|---|"]
        for client in ClientCatalog.all {
            let operations = client.operations.map(\.rawValue).joined(separator: ", ")
            lines.append(
                "| [\(client.name)](#\(client.name)) | \(operations) | \(client.summary) |")
        }
        for client in ClientCatalog.all { lines += ["", section(client)] }
        return head + lines.joined(separator: "\n") + "\n\n" + own
    }

    private static func section(_ client: ClientDescription) -> String {
        var lines = ["## \(client.name)", ""]
        lines += ["| key | value | default | |", "|---|---|---|---|"]
        lines += client.parameters.map {
            let value = $0.required ? "required" : $0.defaultValue.map { "`\($0)`" } ?? ""
            return "| `\($0.name)` | \(Listing.kind($0.kind)) | \(value) | \($0.summary) |"
        }
        if !client.alternatives.isEmpty { lines += ["", "It needs \(client.choice)."] }
        if !client.refusals.isEmpty {
            let all = client.refusals.map { "`\($0)`" }.joined(separator: ", ")
            lines += ["", "A write has failed for certain by: \(all)."]
        }
        if let question = client.question {
            lines += ["", "As a `query:` of roles it takes `\(question)`."]
        }
        return lines.joined(separator: "\n")
    }

    private static let head = """
        # Clients

        Made by `firedrill clients --markdown` from the catalog; `firedrill clients NAME` prints one of them.

        A client never repeats an operation. A write ends `ok`, `failed` (a reply says that nothing was written, or nothing was sent) or `indeterminate` (everything
        else: silence, a connection that broke, an error that may come after the fact). Addresses are numeric, since looking a name up could block. `postgres` and
        `mysql` need a C library and its trait when firedrill is built (`tools/traits`).


        """

    private static let own = """
        ## A client of your own

        `client: process` runs a program of yours and asks it in lines of JSON. [examples/redis_client.py](examples/redis_client.py) is a whole one; the tests run it.

        ```yaml
        workloads:
          own: {client: process, command: [python3, /opt/clients/redis_client.py, "{{vip}}", "6379"], operation: ledger, rate: 20/s}
        ```

        On its standard input comes one line for each operation, and it answers each with one line on its standard output, flushed:

        ```
        {"connection":"kept","deadline_ms":1000,"id":7,"key":"k","op":"write","value":"1"}
        {"id": 7, "outcome": "ok", "host": "a, started 12:00:01"}
        ```

        | asked | |
        |---|---|
        | `id` | comes back in the answer |
        | `op` | `read`; `write`: set `key` to `value`; `cas`: set it to `value` only where it holds `old`, and without `old` only where it holds nothing |
        | `deadline_ms` | how long the answer may take |
        | `connection` | `fresh`: over a new connection; `kept`: over the one before, where that stands |
        | `server` | only with `servers: yes`: the one address that may be asked, whatever its role |

        | answered | |
        |---|---|
        | `outcome` | `ok`; `refused`: for certain nothing was written; `unknown`: it may have been written |
        | `value` | of a `read`: what is there, `null` for nothing |
        | `set` | of a `cas`: `true` or `false`, whether it set the value |
        | `host` | optional: which server answered and which start of it, as one text; without it split brain by interleaved writes is not looked for |

        - One program runs for each connection, started ahead; it has one operation at a time. There are rate × timeout connections and a tenth more, and spare ones, as many as a second has operations and 20 at most: at 20/s and 1s, 42 programs.
        - A program that was just started is asked after all others: in an outage a second later. One that takes longer to start is asked while it still does, and what that costs is
          counted as the system's: give it `connections`, rate × (timeout + start).
        - It runs on the host that the workload comes from, which has a /tmp of its own: name files elsewhere, by absolute paths.
        - Silence until the deadline is indeterminate, and the program is killed with its process group, and started anew. So is one that ends or answers anything else. At
          most 20 a second are started again; an operation for which none can be started is not sent, and the trial inconclusive.
        - Standard input and output are one socket. When it is closed the program should end. What it writes to its standard error goes nowhere.
        - What is no operation (preparing a ledger, reading it back, asking a server who it is) has programs of its own. The first answer of each may take 5 s, and the last line on its standard error is told where that failed.
        - A repeated write is two writes: leave retries out, or answer `unknown`.

        """
}
