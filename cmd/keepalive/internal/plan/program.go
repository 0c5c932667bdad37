package plan

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/syntax"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// A program is the flag --as.
type program struct{ syntax.Format }

func (p *program) String() string { return p.Name }
func (p *program) Type() string   { return "program" }
func (p *program) Set(name string) (err error) {
	p.Format, err = syntax.Lookup(name)
	return err
}

func (o *options) forProgram(plan *align.Plan) syntax.Plan {
	return syntax.Plan{Config: plan.Config, Request: o.Request, Heartbeat: plan.Heartbeat}
}

// ofProgram reports whether what the program of --as does by itself, and not the plan,
// decides whether its connections survive the path.
func (o *options) ofProgram() bool { return o.as.Beats() && len(o.Request.Path) > 0 }

// shortfalls warns of what the program of --as will have that does not do what the plan
// does, and returns the error that this is.
func (o *options) shortfalls(plan *align.Plan, stderr io.Writer) error {
	var defaults platform.Settings
	if o.here {
		var err error
		if defaults, err = kernel.SystemDefaults(); err != nil {
			return exit.UnknownError(fmt.Errorf("--here: the defaults of this machine: %w", err))
		}
	}
	var errs []error
	for _, s := range o.as.Shortfalls(o.forProgram(plan), defaults) {
		if plan.Verdict == align.Unknown && s.Verdict == align.Unknown && strings.HasSuffix(s.Text, plan.Reason) {
			continue // said of the plan, which decides the exit code
		}
		verdict := s.Verdict.String()
		if s.Unnoticed { // as check has it
			verdict = "unnoticed"
		}
		terminal.Say(stderr, "warning: %s: %s", verdict, exit.Text(errors.New(s.Text)))
		if s.Verdict == align.Loses || s.Verdict == align.NeedsHeartbeat {
			errs = append(errs, exit.ErrProblems)
		} else {
			errs = append(errs, exit.Said(exit.UnknownError(errors.New(s.Text))))
		}
	}
	return exit.Join(errs...)
}
