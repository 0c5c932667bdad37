package cli

import (
	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
)

func timeoutCell(p align.Profile) string {
	text := marked(duration.Format(p.Timeout), p.Timeout > 0, p.TimeoutEvidence)
	if !p.LimitsSilence() {
		text += ", " + p.Kind.String()
	}
	return text
}

func expiryText(p align.Profile) string {
	if p.ExpiryText != "" {
		return p.ExpiryText
	}
	return p.Expiry.String()
}

// marked adds how a fact is known, where that is not the source itself.
func marked(text string, known bool, e align.Evidence) string {
	switch {
	case !known:
		return unknownCell
	case e.Sure():
		return text
	}
	return text + " (" + e.String() + ")"
}

// A profileRecord is the JSON of a profile. null is not known.
type profileRecord struct {
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

func recordOf(p align.Profile) profileRecord {
	r := profileRecord{
		ID: p.ID, Provider: p.Provider, Product: p.Product, Layer: p.Layer, Kind: p.Kind.String(),
		Timeout: known(p.Timeout), Min: known(p.Min), Max: known(p.Max), TimeoutEvidence: p.TimeoutEvidence.String(),
		Expiry: p.Expiry.String(), ExpiryText: p.ExpiryText, ExpiryEvidence: p.ExpiryEvidence.String(),
		RefreshedEvidence: p.RefreshedEvidence.String(), Source: p.Source, Note: p.Note,
	}
	if p.Refreshed != platform.Unknown {
		r.Refreshed = new(p.Refreshed == platform.Yes)
	}
	return r
}
