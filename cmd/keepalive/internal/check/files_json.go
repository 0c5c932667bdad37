package check

import (
	"io"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
)

// fileSchema is in the help of check --json.
const fileSchema = `
With --file each line is an object for a file that was read:

  schema           number   as above
  file             string   its name; - is standard input
  format           string   as --format takes it
  connections      array    the kinds of connections that it configures:
    name, file, line        which, and where they are
    config         string   what the program asks for, as sockopt.Parse reads it
    settings       array    {"option","value","file","line","text","by"}: each
                            option, its value (null: inherited or not known), where the file has
                            it (null: it has not), and who else sets it
    heartbeat_seconds  number  how often the program sends data on a silent
                            connection; null: it does not
    closes_seconds  number   after what silence the program itself ends a connection;
                            null: it does not, as far as the file says
    assumption     string   what the file does not decide; empty: nothing
    verdict, bad, reason, latest_refresh_seconds, margin_seconds, lost_probes,
    idle_detection_seconds, in_flight_detection_seconds
                            as above; null without --path
  remarks          array    {"file","line","kind","mistake","text"}: kind is unit, off,
                            user timeout, refused, ignored, one leg, ends it, unknown word;
                            or, which is no mistake, note, unread

The last line is {"schema": 1, "summary": {...}}:

  files            number   that were read
  connections      number   kinds of connections
  mistakes         number
  bad, unknown     number   of the connections
  unread           number   files that could not be read, and parts of others that were
                            not looked at
`

// A fileRecord is the JSON of a file; see fileSchema.
type fileRecord struct {
	Schema      int                `json:"schema"`
	File        string             `json:"file"`
	Format      string             `json:"format"`
	Connections []connectionRecord `json:"connections"`
	Remarks     []remarkRecord     `json:"remarks"`
}

type connectionRecord struct {
	Name       string          `json:"name"`
	File       string          `json:"file"`
	Line       int             `json:"line"`
	Config     string          `json:"config"`
	Settings   []settingRecord `json:"settings"`
	Heartbeat  *float64        `json:"heartbeat_seconds"`
	Closes     *float64        `json:"closes_seconds"`
	Assumption string          `json:"assumption"`
	Verdict    *string         `json:"verdict"`
	Bad        *bool           `json:"bad"`
	Reason     *string         `json:"reason"`
	Latest     *float64        `json:"latest_refresh_seconds"`
	Margin     *float64        `json:"margin_seconds"`
	LostProbes *int            `json:"lost_probes"`
	Idle       *float64        `json:"idle_detection_seconds"`
	InFlight   *float64        `json:"in_flight_detection_seconds"`
}

type settingRecord struct {
	Option string  `json:"option"`
	Value  *string `json:"value"`
	File   *string `json:"file"`
	Line   *int    `json:"line"`
	Text   *string `json:"text"`
	By     *string `json:"by"`
}

type remarkRecord struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Kind    string `json:"kind"`
	Mistake bool   `json:"mistake"`
	Text    string `json:"text"`
}

func writeDocument(w io.Writer, doc *conffile.Document, judged []judgement) error {
	r := fileRecord{Schema: record.Version, File: doc.File, Format: doc.Format, Connections: []connectionRecord{}, Remarks: []remarkRecord{}}
	for _, j := range judged {
		r.Connections = append(r.Connections, j.record())
	}
	for _, m := range doc.All() {
		r.Remarks = append(r.Remarks, remarkRecord{m.File, m.Line, string(m.Kind), m.Kind.Mistake(), m.Text})
	}
	return record.NewEncoder(w).Encode(r)
}

func (j judgement) record() connectionRecord {
	r := connectionRecord{
		Name: j.Name, File: j.File, Line: j.Line, Config: j.Config.String(), Settings: []settingRecord{},
		Heartbeat: record.Seconds(j.Heartbeat), Closes: record.Seconds(j.Closing.After), Assumption: j.Assumption,
	}
	for _, s := range j.Settings {
		out := settingRecord{Option: s.Option.String(), Value: text(s.Value), By: text(s.By)}
		if s.Line > 0 {
			out.File, out.Line, out.Text = text(s.File), &s.Line, text(s.Text)
		}
		r.Settings = append(r.Settings, out)
	}
	a := j.assess
	if a == nil {
		return r
	}
	r.Verdict, r.Bad, r.Reason = &j.verdict, &j.bad, &j.reason
	r.Latest, r.Idle, r.InFlight = record.Seconds(a.LatestRefresh), record.Seconds(a.Detection.Idle.Latest), record.Seconds(a.Detection.InFlight.Latest)
	if a.LatestRefresh > 0 && a.Tightest.Timeout > 0 {
		r.Margin, r.LostProbes = new(a.Margin.Seconds()), &a.LostProbes
	}
	return r
}

// text is null if there is none.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// A fileSummaryRecord ends the output.
type fileSummaryRecord struct {
	Schema  int         `json:"schema"`
	Summary fileSummary `json:"summary"`
}

type fileSummary struct {
	Files       int `json:"files"`
	Connections int `json:"connections"`
	Mistakes    int `json:"mistakes"`
	Bad         int `json:"bad"`
	Unknown     int `json:"unknown"`
	Unread      int `json:"unread"`
}

func (t *fileTally) writeJSON(w io.Writer) error {
	return record.NewEncoder(w).Encode(fileSummaryRecord{record.Version, fileSummary{t.files, t.legs, t.mistakes, t.bad, t.unknown, t.unread + t.failed}})
}
