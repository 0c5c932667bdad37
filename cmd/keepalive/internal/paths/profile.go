package paths

import (
	"cmp"
	"time"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
)

// TimeoutCell is after what silence a middlebox forgets a connection, or what else it limits.
func TimeoutCell(p align.Profile) string {
	text, known := duration.Format(p.Timeout), p.Timeout > 0
	if p.Never {
		text, known = "never", true
	}
	text = Marked(text, known, p.TimeoutEvidence)
	if p.Kind.String() != "idle timeout" {
		text += ", " + p.Kind.String()
	}
	return text
}

// ExpiryText is what happens to a connection that it has forgotten.
func ExpiryText(p align.Profile) string {
	if p.ExpiryText != "" {
		return p.ExpiryText
	}
	return p.Expiry.String()
}

// Marked adds how a fact is known, where that is not the source itself.
func Marked(text string, known bool, e align.Evidence) string {
	switch {
	case !known:
		return table.Unknown
	case e.Sure():
		return text
	}
	return text + " (" + e.String() + ")"
}

// A Profile is the JSON of a profile. null is not known.
type Profile struct {
	ID                string   `json:"id"`
	Provider          string   `json:"provider"`
	Product           string   `json:"product"`
	Layer             string   `json:"layer"`
	Kind              string   `json:"kind"`
	Protocol          string   `json:"protocol,omitempty"`
	Timeout           *float64 `json:"timeout_seconds"`
	Never             bool     `json:"never"` // there is no timeout unless somebody sets one
	Settable          *bool    `json:"settable"`
	Min               *float64 `json:"min_seconds"`
	Max               *float64 `json:"max_seconds"`
	TimeoutEvidence   string   `json:"timeout_evidence"`
	Expiry            string   `json:"expiry"`
	ExpiryText        string   `json:"expiry_text"`
	ExpiryEvidence    string   `json:"expiry_evidence"`
	Refreshed         *bool    `json:"refreshed_by_probes"`
	RefreshedEvidence string   `json:"refreshed_evidence"`
	RefreshedSource   string   `json:"refreshed_source"`
	HalfClosed        *float64 `json:"half_closed_seconds"`
	Side              string   `json:"side,omitempty"` // the connection that the timeout limits, if not both
	Sender            string   `json:"sender,omitempty"`
	Heartbeats        []string `json:"heartbeats,omitempty"` // what counts where probes do not
	Source            string   `json:"source"`
	Read              string   `json:"source_read,omitempty"` // a day or a month
	Note              string   `json:"note,omitempty"`
}

// ProfileOf makes the JSON of a profile.
func ProfileOf(p align.Profile) Profile {
	r := Profile{
		ID: p.ID, Provider: p.Provider, Product: p.Product, Layer: p.Layer, Kind: p.Kind.String(),
		Timeout: record.Seconds(p.Timeout), Min: record.Seconds(p.Min), Max: record.Seconds(p.Max), TimeoutEvidence: p.TimeoutEvidence.String(),
		Expiry: p.Expiry.String(), ExpiryText: p.ExpiryText, ExpiryEvidence: p.ExpiryEvidence.String(),
		Protocol: p.Protocol, Never: p.Never, Settable: yesOrNo(p.Settable), Refreshed: yesOrNo(p.Refreshed),
		RefreshedEvidence: p.RefreshedEvidence.String(), RefreshedSource: cmp.Or(p.RefreshedSource, p.Source),
		HalfClosed: record.Seconds(p.HalfClosed), Side: p.Side, Sender: p.Sender, Source: p.Source, Read: p.Read, Note: p.Note,
	}
	for _, k := range Heartbeats(p) {
		r.Heartbeats = append(r.Heartbeats, k.Name)
	}
	return r
}

// yesOrNo is null if the answer is not known.
func yesOrNo(a platform.Answer) *bool {
	if a == platform.Unknown {
		return nil
	}
	return new(a == platform.Yes)
}

// Heartbeats returns what counts at a profile that probes do not refresh.
func Heartbeats(p align.Profile) []align.HeartbeatKind {
	if p.Refreshed != platform.No {
		return nil
	}
	if p.Never {
		var err error
		if p, err = p.WithTimeout(max(p.Min, time.Minute)); err != nil {
			return nil
		}
	}
	plan, err := align.Request{Path: []align.Profile{p}, Server: p.Side == "server"}.Plan()
	if err != nil || plan.Heartbeat == nil {
		return nil
	}
	return plan.Heartbeat.Kinds
}
