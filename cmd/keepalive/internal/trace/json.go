package trace

import "github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"

// traceSchema describes a traceRecord in the help of trace --json.
const traceSchema = `Each line is one JSON object. null is unknown, or means nothing for this segment.
Times are seconds.

  schema           number   version of these objects, see docs/trace.schema.json
  netns            string   network namespace, as --netns takes it
  time             string   when the kernel saw it, RFC 3339
  from, to         string   address:port, [address]:port, [address%interface]:port of a
                            link-local address
  from_local, to_local  bool  whether that end is a socket of this machine's namespace
  from_processes, to_processes
                   array    {"pid","fd","name"} of those who have it open; null: unknown,
                            or not of this machine
  kind             string   probe, answer, window-probe, rst, syn, fin, data, ack,
                            retransmission
  unanswered       number   probes in a row without an answer, this one included; of a
                            reset those before it
  after_seconds    number   since the segment before it on the connection
  expected_setting string   idle or interval: what decides when it leaves
  expected_seconds number   the value of that; null if it may not be read
`

// A traceRecord is the JSON object of a segment; see traceSchema.
type traceRecord struct {
	Schema          int              `json:"schema"`
	NetNS           string           `json:"netns"`
	Time            string           `json:"time"`
	From            string           `json:"from"`
	To              string           `json:"to"`
	FromLocal       bool             `json:"from_local"`
	ToLocal         bool             `json:"to_local"`
	FromProcesses   []record.Process `json:"from_processes"`
	ToProcesses     []record.Process `json:"to_processes"`
	Kind            string           `json:"kind"`
	Unanswered      int              `json:"unanswered"`
	After           *float64         `json:"after_seconds"`
	ExpectedSetting *string          `json:"expected_setting"`
	Expected        *float64         `json:"expected_seconds"`
}
