package plan

import (
	"io"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A planRecord is the JSON of a plan. null is not known, or not promised.
type planRecord struct {
	Schema      int               `json:"schema"`
	Config      configRecord      `json:"config"`
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

func configOf(c sockopt.Config) configRecord {
	r := configRecord{Text: c.String(), Idle: c.Idle.Seconds(), Interval: c.Interval.Seconds(), Count: c.Count}
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
	r := planRecord{
		Schema: record.Version, Config: configOf(p.Config), Verdict: p.Verdict.String(), Reason: p.Reason,
		Path: []paths.Profile{}, PerHour: p.ProbesPerHour,
		Latest: record.Seconds(p.LatestRefresh), Detection: detectionOf(p.Detection), Heartbeat: heartbeatOf(p.Heartbeat), HTTP: endsOf(request),
		Limits: []limitRecord{}, Assumptions: p.Assumptions, Warnings: p.Warnings,
	}
	for _, profile := range request.Path {
		r.Path = append(r.Path, paths.ProfileOf(profile))
	}
	if p.Tightest.Timeout > 0 {
		r.Tightest, r.Margin, r.LostProbes = &p.Tightest.ID, new(p.Margin.Seconds()), &p.LostProbes
	}
	for _, l := range p.Limits {
		r.Limits = append(r.Limits, limitRecord(l))
	}
	if r.Assumptions == nil {
		r.Assumptions = []string{}
	}
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	e := record.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
