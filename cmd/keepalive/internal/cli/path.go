package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A pathOptions are the flags that say what a connection crosses, and what it has
// to survive there.
type pathOptions struct {
	path       []string
	timeouts   []string
	lostProbes int
	margin     seconds
	rtt        seconds
	hz         int
	detect     seconds
	accept     bool

	request align.Request
}

func (o *pathOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.path, "path", nil, "what the connection crosses, from client to server: profile IDs; NAME=350s is a middlebox of your own")
	f.StringArrayVar(&o.timeouts, "idle-timeout", nil, "ID=1000s: what a profile of the path is set to")
	o.lostProbes = 2
	f.Var(number{&o.lostProbes, 0, 126}, "lost-probes", "how many probes may be lost in a row, 0 to 126")
	f.Var(&o.margin, "margin", "time to keep in reserve")
	f.Var(moreThan0{&o.rtt}, "rtt", "longest round trip to expect (default 100ms)")
	f.Var(number{&o.hz, 24, 1200}, "hz", "CONFIG_HZ of the kernel, 24 to 1200 (default: the worst of 100, 250, 300, 1000)")
	f.Var(moreThan0{&o.detect}, "detect", "how soon the death of the peer has to be noticed")
	f.BoolVar(&o.accept, "accept-assumptions", false, "take for true what nobody verified: it is printed all the same, and does not make the exit code 5")
	completeWords(cmd, "path", profileIDs)
	completeWords(cmd, "idle-timeout", func() []string { return endingIn("=", profileIDs()) })
}

func endingIn(end string, words []string) []string {
	for i := range words {
		words[i] += end
	}
	return words
}

// profileIDs are those that may be typed.
func profileIDs() []string {
	var ids []string
	for _, p := range new(align.Catalog).Profiles() {
		ids = append(ids, p.ID)
	}
	return ids
}

// parse turns the flags into a request.
func (o *pathOptions) parse() error {
	if err := o.parsePath(); err != nil {
		return usageError{err}
	}
	o.request.LostProbes = o.lostProbes
	if o.lostProbes == 0 {
		o.request.LostProbes = -1
	}
	o.request.Margin, o.request.RTT, o.request.HZ = time.Duration(o.margin), time.Duration(o.rtt), o.hz
	o.request.Detect = time.Duration(o.detect)
	return o.ofFlag(o.request.Validate())
}

// ofFlag says of the flag that was given what the error of a request says of its field.
func (o *pathOptions) ofFlag(err error) error {
	flags := map[string]string{"detect": "--detect", "margin": "--margin", "lost probes": "--lost-probes"}
	var value *align.ValueError
	var impossible *align.ImpossibleError
	switch {
	case err == nil:
		return nil
	case o.request.FromFailure && o.request.Detect == 0:
		err = errors.New("--from-failure counts --detect from the death of the peer: --detect is missing")
	case errors.As(err, &value) && flags[value.Field] != "":
		err = fmt.Errorf("%s %s: %s", flags[value.Field], value.Value, value.Limit)
	case errors.As(err, &impossible) && flags[impossible.Field] != "":
		err = fmt.Errorf("%s %s is impossible: %s", flags[impossible.Field], impossible.Value, impossible.Limit)
	}
	return usageError{err}
}

func (o *pathOptions) parsePath() error {
	timeouts := map[string]time.Duration{}
	set := func(id string, d time.Duration) error {
		if before, twice := timeouts[id]; twice && before != d {
			return fmt.Errorf("the idle timeout of %s is given as %s and as %s", id, duration.Format(before), duration.Format(d))
		}
		timeouts[id] = d
		return nil
	}
	for _, text := range o.timeouts {
		id, value, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("--idle-timeout %s: want ID=TIME, such as aws-nlb-tcp=1000s", text)
		}
		d, err := duration.Parse(value)
		if err == nil {
			err = set(id, d)
		}
		if err != nil {
			return fmt.Errorf("--idle-timeout %s: %w", text, err)
		}
	}
	used := map[string]bool{}
	for _, element := range o.path {
		id, value, hasTime := strings.Cut(strings.TrimSpace(element), "=")
		if hasTime {
			d, err := duration.Parse(value)
			if err == nil {
				err = set(id, d)
			}
			if err != nil {
				return fmt.Errorf("--path %s: %w", element, err)
			}
		}
		p, err := profileOrOwn(id, hasTime)
		if err != nil {
			return fmt.Errorf("--path: %w", err)
		}
		if d, given := timeouts[id]; given {
			if p, err = p.WithTimeout(d); err != nil {
				return err
			}
		}
		used[id] = true
		o.request.Path = append(o.request.Path, p)
	}
	for _, text := range o.timeouts {
		if id, _, _ := strings.Cut(text, "="); !used[id] {
			return fmt.Errorf("--idle-timeout %s: --path does not have %s", text, id)
		}
	}
	return nil
}

// plan makes the plan for the flags.
func (o *pathOptions) plan() (*align.Plan, error) {
	plan, err := o.request.Plan()
	switch {
	case err == nil:
		return plan, nil
	case errors.Is(err, sockopt.ErrUnknown):
		return nil, unknownError{fmt.Errorf("%w: give it with --idle-timeout ID=350s", err)}
	}
	return nil, o.ofFlag(err)
}

// restsOn is what makes a good verdict one that is not known for sure.
func (o *pathOptions) restsOn(p *align.Plan) error {
	if o.accept || len(p.Assumptions) == 0 {
		return nil
	}
	return unknownError{fmt.Errorf("this rests on what nobody verified: %s (--accept-assumptions takes that for true)", strings.Join(p.Assumptions, "; "))}
}

// profileOrOwn looks a profile up, or makes one of a name with a time.
func profileOrOwn(id string, hasTime bool) (align.Profile, error) {
	var known align.Catalog
	p, err := known.Lookup(id)
	if lower, lowerErr := known.Lookup(strings.ToLower(id)); err != nil && lowerErr == nil {
		return lower, nil // profiles does not tell cases apart either
	}
	switch {
	case err == nil:
		return p, nil
	case !hasTime:
		return p, fmt.Errorf("%w; keepalive profiles lists them, and NAME=350s is one of your own", err)
	case id == "":
		return p, fmt.Errorf("a middlebox of your own needs a name: NAME=350s")
	}
	typo := slices.DeleteFunc(profileIDs(), func(known string) bool { return !alike.Mistyped(id, known) })
	if len(typo) > 0 {
		// What a typo makes would be trusted to let probes refresh it, where the box that
		// was meant may ignore them.
		return p, fmt.Errorf("no profile %q: did you mean %s? A middlebox of your own needs a name that is less like one of them", id, strings.Join(alike.Nearest(id, typo), ", "))
	}
	return align.Profile{
		ID: id, Provider: "yours", Product: "as given", Layer: "L4",
		Refreshed: platform.Yes, RefreshedEvidence: "inferred",
	}, nil
}
