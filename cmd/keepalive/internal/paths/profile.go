package paths

import (
	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
)

func TimeoutCell(p align.Profile) string {
	text := Marked(duration.Format(p.Timeout), p.Timeout > 0, p.TimeoutEvidence)
	if !p.LimitsSilence() {
		text += ", " + p.Kind.String()
	}
	return text
}

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
	Timeout           *float64 `json:"timeout_seconds"`
	Min               *float64 `json:"min_seconds"`
	Max               *float64 `json:"max_seconds"`
	TimeoutEvidence   string   `json:"timeout_evidence"`
	Expiry            string   `json:"expiry"`
	ExpiryText        string   `json:"expiry_text"`
	ExpiryEvidence    string   `json:"expiry_evidence"`
	Refreshed         *bool    `json:"refreshed_by_probes"`
	RefreshedEvidence string   `json:"refreshed_evidence"`
	Source            string   `json:"source"`
	Note              string   `json:"note,omitempty"`
}

func ProfileOf(p align.Profile) Profile {
	r := Profile{
		ID: p.ID, Provider: p.Provider, Product: p.Product, Layer: p.Layer, Kind: p.Kind.String(),
		Timeout: record.Seconds(p.Timeout), Min: record.Seconds(p.Min), Max: record.Seconds(p.Max), TimeoutEvidence: p.TimeoutEvidence.String(),
		Expiry: p.Expiry.String(), ExpiryText: p.ExpiryText, ExpiryEvidence: p.ExpiryEvidence.String(),
		RefreshedEvidence: p.RefreshedEvidence.String(), Source: p.Source, Note: p.Note,
	}
	if p.Refreshed != platform.Unknown {
		r.Refreshed = new(p.Refreshed == platform.Yes)
	}
	return r
}
