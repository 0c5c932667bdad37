package plan

import (
	"io"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A planRecord is the JSON of a plan. null is not known, or not promised.
type planRecord struct {
	Schema      int               `json:"schema"`
	Config      *configRecord     `json:"config"` // null: there is no plan
	Verdict     string            `json:"verdict"`
	Reason      string            `json:"reason"`
	Path        []paths.Profile   `json:"path"`
	Tightest    *string           `json:"tightest"`
	Latest      *float64          `json:"latest_refresh_seconds"`
	Margin      *float64          `json:"margin_seconds"`
	LostProbes  *int              `json:"lost_probes"`
	PerHour     float64           `json:"probes_per_hour"`
	Detection   []detectionRecord `json:"detection"`
	Heartbeat   *heartbeatRecord  `json:"heartbeat"`
	HTTP        *endsRecord       `json:"http"`
	Limits      []limitRecord     `json:"limits"`
	Assumptions []string          `json:"assumptions"`
	Warnings    []string          `json:"warnings"`
}

type configRecord struct {
	Text        string   `json:"text"`
	Idle        float64  `json:"idle_seconds"`
	Interval    float64  `json:"interval_seconds"`
	Count       int      `json:"count"`
	UserTimeout *float64 `json:"user_timeout_seconds"` // null: off
}

type detectionRecord struct {
	Phase    string   `json:"phase"`
	Since    string   `json:"since"`
	Earliest *float64 `json:"earliest_seconds"`
	Latest   *float64 `json:"latest_seconds"`
	Note     string   `json:"note,omitempty"`
}

type heartbeatRecord struct {
	Tightest        string   `json:"tightest"`
	Every           *float64 `json:"every_seconds"`
	IdleConnTimeout *float64 `json:"idle_conn_timeout_seconds"`
	Kinds           []string `json:"kinds"`
}

type limitRecord struct {
	When   string `json:"when"`
	Remedy string `json:"remedy"`
}

func configOf(c sockopt.Config) *configRecord {
	r := &configRecord{Text: c.String(), Idle: c.Idle.Seconds(), Interval: c.Interval.Seconds(), Count: c.Count}
	if c.UserTimeout > 0 {
		r.UserTimeout = record.Seconds(c.UserTimeout)
	}
	return r
}

func detectionOf(d align.Detection) []detectionRecord {
	records := []detectionRecord{}
	for _, b := range d.Bounds() {
		records = append(records, detectionRecord{b.Phase, b.Since, record.Seconds(b.Earliest), record.Seconds(b.Latest), b.Note})
	}
	return records
}

func heartbeatOf(h *align.Heartbeat) *heartbeatRecord {
	if h == nil {
		return nil
	}
	r := &heartbeatRecord{Tightest: h.Tightest.ID, Every: record.Seconds(h.Every), IdleConnTimeout: record.Seconds(h.IdleConnTimeout)}
	for _, k := range h.Kinds {
		r.Kinds = append(r.Kinds, k.Name)
	}
	return r
}

func planJSON(w io.Writer, request align.Request, p *align.Plan) error {
	r := recordOf(request, p.Verdict, p.Reason)
	r.Config, r.PerHour, r.Latest = configOf(p.Config), p.ProbesPerHour, record.Seconds(p.LatestRefresh)
	r.Detection, r.Heartbeat = detectionOf(p.Detection), heartbeatOf(p.Heartbeat)
	r.Assumptions, r.Warnings = append(r.Assumptions, p.Assumptions...), append(r.Warnings, p.Warnings...)
	if p.Tightest.Timeout > 0 {
		r.Tightest, r.Margin, r.LostProbes = &p.Tightest.ID, new(p.Margin.Seconds()), &p.LostProbes
	}
	for _, l := range p.Limits {
		r.Limits = append(r.Limits, limitRecord(l))
	}
	return encode(w, r)
}

// unknownJSON prints that there is no plan, because no timeout of the path is known.
func unknownJSON(w io.Writer, request align.Request, why error) error {
	return encode(w, recordOf(request, align.Unknown, exit.Text(why)))
}

// recordOf has what does not depend on the settings of a plan.
func recordOf(request align.Request, verdict align.Verdict, reason string) planRecord {
	r := planRecord{
		Schema: record.Version, Verdict: verdict.String(), Reason: reason, Path: []paths.Profile{}, HTTP: endsOf(request),
		Detection: []detectionRecord{}, Limits: []limitRecord{}, Assumptions: []string{}, Warnings: []string{},
	}
	for _, profile := range request.Path {
		r.Path = append(r.Path, paths.ProfileOf(profile))
	}
	return r
}

func encode(w io.Writer, r planRecord) error {
	e := record.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
