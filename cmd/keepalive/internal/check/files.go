package check

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/conffile"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/flags"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/terminal"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// fileFlags say which configurations to read, in place of connections.
type fileFlags struct {
	names  []string
	format string
}

func (o *fileFlags) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.names, "file", nil, "read this configuration of another program, in place of the connections here; - is standard input; may be repeated")
	f.StringVar(&o.format, "format", "", "what the files of --file are, where that cannot be recognised: "+strings.Join(conffile.Names(), ", "))
	flags.CompleteFiles(cmd, "file")
	flags.CompleteWords(cmd, "format", conffile.Names)
}

// formatList is for the help.
func formatList() string {
	var b strings.Builder
	for _, f := range conffile.Formats {
		fmt.Fprintf(&b, "  %-11s %s\n", f.Name, f.What)
	}
	return b.String()
}

// ofConnections are the flags that say nothing about a file.
var ofConnections = []string{"local", "peer", "pid", "netns", "all-netns"}

// ofPaths are those that need no --path without --file, and do with it.
var ofPaths = []string{"idle-timeout", "lost-probes", "margin", "rtt", "hz", "detect", "assume-refresh", "server"}

// parse refuses flags that do not belong together.
func (o *fileFlags) parse(cmd *cobra.Command, path []string) error {
	var errs []error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case slices.Contains(ofConnections, f.Name):
			errs = append(errs, fmt.Errorf("--%s is about the connections of this machine, and --file about what it would do: leave one out", f.Name))
		case len(path) == 0 && slices.Contains(ofPaths, f.Name):
			errs = append(errs, fmt.Errorf("--%s is about a path: --path is missing", f.Name))
		case f.Name == "format":
			if err := conffile.CheckFormat(o.format); err != nil {
				errs = append(errs, fmt.Errorf("--format %w", err))
			}
		}
	})
	for i, name := range o.names {
		if slices.Contains(o.names[:i], name) {
			errs = append(errs, fmt.Errorf("--file %s is given twice", name))
		}
	}
	for i, err := range errs {
		errs[i] = exit.UsageError(err)
	}
	return exit.Join(errs...)
}

// maxFile limits what is read of one file; no configuration is that long.
const maxFile = 16 << 20

// read reads the files, those that can be.
func (o *fileFlags) read(stdin io.Reader) (files []conffile.File, errs []error) {
	for _, name := range o.names {
		text, err := readFile(name, stdin)
		switch {
		case errors.Is(err, fs.ErrPermission):
			errs = append(errs, exit.DeniedError(err))
		case err != nil:
			errs = append(errs, exit.UsageError(err))
		default:
			files = append(files, conffile.File{Name: name, Text: text, Here: name != "-"})
		}
	}
	return files, errs
}

func readFile(name string, stdin io.Reader) (string, error) {
	from := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		from = f
	}
	if d, isDir := from.(*os.File); isDir {
		if info, err := d.Stat(); err == nil && info.IsDir() {
			return "", fmt.Errorf("%s is a directory: give its files, --file %s", name, filepath.Join(name, "FILE"))
		}
	}
	b, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	switch {
	case err != nil && name == "-":
		return "", fmt.Errorf("standard input: %w", err)
	case len(b) > maxFile:
		return "", fmt.Errorf("%s is longer than %d MB: that is no configuration", name, maxFile>>20)
	}
	return string(b), err
}

// A judgement is what a path makes of one kind of connections that a file configures.
type judgement struct {
	*conffile.Leg
	verdict string // "" without a path
	reason  string
	bad     bool
	assess  *align.Assessment // nil without a path
}

// A fileTally counts what was found in files.
type fileTally struct {
	files, legs, mistakes, bad, unknown, unread int
	failed                                      int      // files that could not be read
	nothing                                     []string // names of files that say nothing about keepalive
	assumptions                                 []string
}

func (o *options) runFiles(cmd *cobra.Command) error {
	var unknownPath error // the verdict on the connections it matters to: others may be lost
	if len(o.Path) > 0 {
		_, unknownPath = o.Plan() // says what is wrong with the path
		if unknownPath != nil && !errors.Is(unknownPath, sockopt.ErrUnknown) {
			return unknownPath
		}
	}
	files, errs := o.files.read(cmd.InOrStdin())
	stdout, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	out := bufio.NewWriter(stdout)
	count := fileTally{failed: len(errs)}
	for _, doc := range conffile.Read(files, o.files.format) {
		switch {
		case errors.Is(doc.Err, conffile.ErrEmpty):
			errs = append(errs, exit.NothingError(doc.Err))
			count.files++
			continue
		case doc.Err != nil:
			errs = append(errs, exit.UsageError(doc.Err))
			count.failed++
			continue
		}
		if len(o.Path) == 0 { // what a file does not say has no mistakes
			doc.LeaveOutImplied()
		}
		judged, err := o.judgeFile(doc)
		if err != nil {
			return exit.Join(out.Flush(), err)
		}
		count.add(doc, judged)
		if o.json {
			err = writeDocument(out, doc, judged)
		} else if len(doc.Legs)+len(doc.Remarks) > 0 {
			var text strings.Builder
			printDocument(&text, doc, judged)
			err = terminal.Fold(out, terminal.PrintableLines(text.String()), terminal.Width(stdout))
		}
		if err != nil {
			return err
		}
	}
	if o.json {
		if err := count.writeJSON(out); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	count.print(stderr)
	if count.unknown > 0 || count.legs == 0 {
		errs = append(errs, unknownPath)
	}
	return exit.Join(append(errs, count.result())...)
}

func (o *options) judgeFile(doc *conffile.Document) ([]judgement, error) {
	judged := make([]judgement, len(doc.Legs))
	for i := range doc.Legs {
		l := &doc.Legs[i]
		judged[i].Leg = l
		if len(o.Path) == 0 {
			continue
		}
		request := o.Request
		request.Server = request.Server || l.Server
		switch a, err := l.Assess(request); {
		case errors.Is(err, sockopt.ErrUnknown): // the plan is for the other end, which may be known
			judged[i].verdict, judged[i].reason = align.Unknown.String(), exit.Text(err)
			judged[i].assess = new(align.Assessment)
		case err != nil:
			return nil, err
		default:
			judged[i] = o.judgeLeg(l, a)
			judged[i].reason += halfClosed(l, request, a)
		}
		if as := judgedAs(request); as != "" {
			judged[i].reason += " (" + as + ")"
		}
	}
	return judged, nil
}

func (o *options) judgeLeg(l *conffile.Leg, a *align.Assessment) judgement {
	j := judgement{Leg: l, verdict: a.Verdict.String(), reason: a.Reason, assess: a}
	switch {
	case a.Verdict == align.Loses, a.Verdict == align.NeedsHeartbeat:
		j.bad = true
		if a.Heartbeat != nil {
			j.reason += ": " + heartbeatChange(a.Heartbeat)
		}
	case o.Request.Detect == 0:
	case a.Verdict == align.Unknown && (l.Heartbeat > 0 || !noticing(a)): // neither is whether it notices
	case l.Heartbeat > 0:
		j.verdict, j.reason = align.Unknown.String(), "it survives; how soon its heartbeat notices a dead peer is not computed, leave --detect out"
	default:
		if why := o.unnoticed(a); why != "" && l.Config.UserTimeout <= 0 && a.Detection.Idle.Latest <= o.Request.Detect {
			j.verdict, j.reason = align.Unknown.String(), "without a user timeout net.ipv4.tcp_retries2 decides how long data in flight to a dead peer goes unnoticed, with Linux's own 15: "+why
		} else if why != "" {
			j.bad, j.verdict, j.reason = true, unnoticed, why
		}
	}
	return j
}

// halfClosed says that connections which survive are lost once one end has closed them for
// writing; "" if they are not, or if that is not known.
func halfClosed(l *conffile.Leg, r align.Request, a *align.Assessment) string {
	if a.Verdict != align.Survives && a.Verdict != align.SurvivesIf {
		return ""
	}
	r.HalfClosed = true
	half, err := l.Assess(r)
	if err != nil || half.Verdict != align.Loses {
		return ""
	}
	return "; not once one end has closed it for writing: " + half.Reason
}

func (t *fileTally) add(doc *conffile.Document, judged []judgement) {
	t.files++
	t.legs += len(judged)
	if doc.Empty() {
		t.nothing = append(t.nothing, doc.File)
	}
	for _, r := range doc.All() {
		switch {
		case r.Kind.Mistake():
			t.mistakes++
		case r.Kind == conffile.Unread:
			t.unread++
		}
	}
	for _, j := range judged {
		switch {
		case j.bad:
			t.bad++
		case j.verdict == align.Unknown.String():
			t.unknown++
		case j.verdict == align.SurvivesIf.String():
			for _, a := range j.assess.Assumptions {
				if !slices.Contains(t.assumptions, a) {
					t.assumptions = append(t.assumptions, a)
				}
			}
		}
	}
}

func (t *fileTally) result() error {
	var errs []error
	if t.mistakes > 0 || t.bad > 0 {
		errs = append(errs, exit.ErrProblems)
	}
	if t.unread > 0 {
		errs = append(errs, exit.Said(exit.UnknownError(errors.New("not everything was looked at"))))
	}
	if t.unknown > 0 {
		errs = append(errs, exit.UnknownError(fmt.Errorf("whether %d of %d kinds of connections survive the path is not known", t.unknown, t.legs)))
	}
	if len(t.assumptions) > 0 {
		errs = append(errs, exit.UnknownError(fmt.Errorf("this rests on what nobody verified: %s", strings.Join(t.assumptions, "; "))))
	}
	for _, name := range t.nothing {
		errs = append(errs, exit.NothingError(fmt.Errorf("%s: nothing about TCP keepalive was found", name)))
	}
	return exit.Join(errs...)
}

func (t *fileTally) print(w io.Writer) {
	text := fmt.Sprintf("read %d %s: %d %s", t.files, plural(t.files, "file"), t.mistakes, plural(t.mistakes, "mistake"))
	if t.failed > 0 {
		text = fmt.Sprintf("read %d of %d %s: %d %s", t.files, t.files+t.failed, plural(t.files+t.failed, "file"), t.mistakes, plural(t.mistakes, "mistake"))
	}
	if t.bad > 0 {
		text += fmt.Sprintf(", %d of %d kinds of connections do not survive", t.bad, t.legs)
	}
	terminal.Say(w, "%s", text)
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
