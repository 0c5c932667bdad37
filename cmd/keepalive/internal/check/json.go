package check

import (
	"io"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
)

// checkSchema is in the help of check --json.
const checkSchema = `Each line is one JSON object, for a connection that was checked. null is unknown, or
means nothing for this connection. Times are seconds.

  schema           number   version of these objects, see docs/check.schema.json
  local, peer      string   address:port, [address]:port
  netns            string   network namespace, as --netns takes it
  netns_inode      number   the same as in net:[4026531840]; null: unknown
  state            string   ESTAB, FIN-WAIT-2, CLOSE-WAIT
  verdict          string   survives, survives if, loses, needs a heartbeat,
                            unnoticed, unknown
  bad              bool     whether something is to be changed
  reason           string   why, for people; may change
  change           string   settings as sockopt.Parse reads them; where it needs a
                            heartbeat, which one, in words; empty: nothing
  settings         string   what getsockopt reads on the socket
  latest_refresh_seconds  number  until a probe has refreshed the path at the latest
  margin_seconds   number   between that and the tightest timeout
  lost_probes      number   how many may be lost in a row
  idle_detection_seconds, in_flight_detection_seconds
                   number   until the death of the peer is noticed at the latest
  processes        array    {"pid","fd","name"} of those who have it open; null: unknown

The last line is {"schema": 1, "summary": {...}}:

  checked          number   connections
  bad, unknown     number   of them
  left_out         number   connections that stay on this machine, not checked
`

// A checkRecord is the JSON of a connection that was checked; see checkSchema.
type checkRecord struct {
	record.Socket
	State      string           `json:"state"`
	Verdict    string           `json:"verdict"` // survives, loses, needs a heartbeat, unnoticed, unknown
	Bad        bool             `json:"bad"`
	Reason     string           `json:"reason"`
	Change     string           `json:"change"`
	Settings   string           `json:"settings"`
	Latest     *float64         `json:"latest_refresh_seconds"`
	Margin     *float64         `json:"margin_seconds"`
	LostProbes *int             `json:"lost_probes"`
	Idle       *float64         `json:"idle_detection_seconds"`
	InFlight   *float64         `json:"in_flight_detection_seconds"`
	Processes  []record.Process `json:"processes"`
}

func (f finding) writeJSON(w io.Writer) error {
	a := f.assess
	r := checkRecord{
		Socket: f.Socket(), State: f.State.String(), Verdict: f.verdict, Bad: f.bad, Reason: f.reason, Change: f.change,
		Settings: f.Settings.String(), Latest: record.Seconds(a.LatestRefresh),
		Idle:      record.Seconds(a.Detection.Idle.Latest),
		InFlight:  record.Seconds(a.Detection.InFlight.Latest),
		Processes: f.Processes(),
	}
	if a.LatestRefresh > 0 && a.Tightest.Timeout > 0 {
		r.Margin, r.LostProbes = new(a.Margin.Seconds()), &a.LostProbes
	}
	return record.NewEncoder(w).Encode(r)
}

// A summaryRecord ends the output.
type summaryRecord struct {
	Schema  int     `json:"schema"`
	Summary summary `json:"summary"`
}

type summary struct {
	Checked int `json:"checked"`
	Bad     int `json:"bad"`
	Unknown int `json:"unknown"`
	LeftOut int `json:"left_out"`
}

func (t *tally) writeJSON(w io.Writer) error {
	return record.NewEncoder(w).Encode(summaryRecord{record.Version, summary{t.checked, t.bad, t.unknown, t.local}})
}
