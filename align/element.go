package align

import (
	"fmt"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
)

// own are the middleboxes of a user's own, by the word before the colon.
var own = map[string]Profile{
	"box": {
		Product: "middlebox that forgets silently", Layer: "L4",
		Expiry: silent, Refreshed: platform.Yes,
	},
	"proxy": {
		Product: "proxy that ends idle connections", Layer: "L4/L7 proxy",
		Expiry: closes, Refreshed: platform.No,
	},
	"server": {
		Product: "server that ends idle connections", Layer: "server", Kind: serverTimeout,
		Expiry: closes, Refreshed: platform.No,
	},
}

const ownForms = "box:TIME (it forgets silently, and probes count), proxy:TIME or server:TIME (it ends idle connections, and probes do not count)"

// element returns the profile that an element of a path stands for, see [Catalog.Path].
func (c *Catalog) element(text string) (Profile, error) {
	text = strings.TrimSpace(text)
	if word, value, ok := strings.Cut(text, ":"); ok {
		p, known := own[strings.ToLower(word)]
		if !known {
			return p, fmt.Errorf("no middlebox %q: one of your own is %s", text, ownForms)
		}
		return p.ofOne(strings.ToLower(word), strings.TrimSpace(value))
	}
	id, value, hasTime := strings.Cut(text, "=")
	if p, known := own[strings.ToLower(id)]; known {
		return p, fmt.Errorf("%s has no time: one of your own is %s", text, ownForms)
	}
	p, err := c.lookup(id)
	if lower, lowerErr := c.lookup(strings.ToLower(id)); err != nil && lowerErr == nil {
		p, err = lower, nil
	}
	suggests := err != nil && strings.HasSuffix(err.Error(), "?")
	switch {
	case suggests && hasTime:
		return p, fmt.Errorf("%w A middlebox of your own is %s", err, ownForms)
	case err != nil && !suggests:
		return p, fmt.Errorf("%w; a middlebox of your own is %s", err, ownForms)
	}
	if err != nil || !hasTime {
		return p, err
	}
	d, err := duration.Parse(value)
	if err != nil {
		return p, fmt.Errorf("%s: %w", text, err)
	}
	return p.withTimeout(d)
}

// ofOne returns the profile of a middlebox of a user's own.
func (p Profile) ofOne(word, value string) (Profile, error) {
	p.ID, p.Provider = word+":"+value, "yours"
	open, halfClosed, both := strings.Cut(value, "/")
	if both && word != "box" {
		return p, fmt.Errorf("%s: only box has a time for half-closed connections", p.ID)
	}
	d, err := duration.Parse(open)
	if err != nil {
		return p, fmt.Errorf("%s: %w", p.ID, err)
	}
	if both {
		if p.HalfClosed, err = duration.Parse(halfClosed); err != nil {
			return p, fmt.Errorf("%s: %w", p.ID, err)
		}
		if p.HalfClosed <= 0 {
			return p, &ValueError{Field: "half-closed timeout of " + p.ID, Value: duration.Seconds(p.HalfClosed), Limit: "must be positive"}
		}
	}
	if p, err = p.withTimeout(d); err != nil {
		return p, err
	}
	return p.spelled(), nil
}
