// Package profiles is the command keepalive profiles: the middleboxes that are known.
package profiles

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/internal/alike"
	"github.com/tcpkeepalive/keepalive/internal/duration"
	"github.com/tcpkeepalive/keepalive/platform"
)

// New makes the command.
func New() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "profiles [WORD...]",
		Short: "List middleboxes, and after what silence they forget a connection",
		Long: `profiles lists the middleboxes and servers that plan and check know: those that
every WORD describes, in any case, the best match first. Words that people use
for them are found as well: gke, k8s, elb, iptables. An ID shows that profile
whole: each fact, how sure it is, its source, and when that was read.

  IDLE-TIMEOUT  its default, "never" if there is none unless somebody sets one;
                another kind of limit is named (server timeout, maximum age...)
  RANGE         what it can be set to: "fixed" is nothing else, "settable" has
                limits that are not known, "?" may be fixed or not
  PROBES        whether a TCP keepalive probe starts the time again
  ON-EXPIRY     what happens to a connection that was silent for longer

A fact in parentheses says how it is known: inferred from the kind of product,
secondary (quoted by somebody else), from memory. "?" is not known. All others
were read at the source.`,
		Example: `  keepalive profiles
  keepalive profiles aws nat
  keepalive profiles google load balancer
  keepalive profiles aws-nlb-tcp
  keepalive profiles --json envoy | jq -r .source`,
		RunE: func(cmd *cobra.Command, words []string) error {
			if slices.ContainsFunc(words, func(w string) bool { return strings.TrimSpace(w) == "" }) {
				return exit.UsageError(errors.New("a WORD is empty, which all profiles have: leave it out for all"))
			}
			words = strings.Fields(strings.Join(words, " ")) // "google load balancer" is three
			found := new(align.Catalog).Search(words...)
			if len(found) == 0 {
				return exit.NothingError(noProfile(words))
			}
			whole := len(words) == 1 && strings.EqualFold(words[0], found[0].ID)
			switch {
			case whole && asJSON:
				return profilesJSON(cmd.OutOrStdout(), found[:1])
			case asJSON:
				return profilesJSON(cmd.OutOrStdout(), found)
			case whole:
				return profileWhole(cmd.OutOrStdout(), cmd.ErrOrStderr(), found)
			}
			return profilesTable(cmd.OutOrStdout(), cmd.ErrOrStderr(), found)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line, with all that is known and its source")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return searchWords(), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// searchWords are IDs and providers.
func searchWords() []string {
	words := paths.IDs()
	for _, p := range new(align.Catalog).Profiles() {
		if w := strings.ToLower(p.Provider); !strings.Contains(w, " ") && !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

const ofYourOwn = "a middlebox of your own is box:TIME: keepalive plan --path box:15m"

// noProfile tells which of the words nobody has, and what was meant.
func noProfile(words []string) error {
	for _, w := range words {
		if len(new(align.Catalog).Search(w)) == 0 {
			return fmt.Errorf("no profile has %s%s; %s", w, alike.Question(alike.Nearest(w, searchWords())), ofYourOwn)
		}
	}
	return fmt.Errorf("no profile has %s; %s", strings.Join(words, " and "), ofYourOwn)
}

var profileColumns = []table.Column{
	{Title: "ID"},
	{Title: "IDLE-TIMEOUT", Rank: 1, Below: true},
	{Title: "RANGE", Rank: 6},
	{Title: "PROBES", Rank: 2, Below: true},
	{Title: "ON-EXPIRY", Rank: 5},
	{Title: "LAYER", Rank: 4},
	{Title: "PRODUCT", Rank: 3},
}

func profilesTable(stdout, stderr io.Writer, profiles []align.Profile) error {
	var rows [][]string
	for _, p := range profiles {
		rows = append(rows, []string{
			p.ID, paths.TimeoutCell(p), rangeCell(p),
			paths.Marked(p.Refreshed.String(), p.Refreshed != platform.Unknown, p.RefreshedEvidence),
			paths.Marked(paths.ExpiryText(p), p.Expiry.Known(), p.ExpiryEvidence),
			p.Layer, p.Provider + " " + p.Product,
		})
	}
	return table.Print(stdout, stderr, profileColumns, rows)
}

func rangeCell(p align.Profile) string {
	switch {
	case p.Min > 0 && p.Max > 0:
		return duration.Format(p.Min) + "-" + duration.Format(p.Max)
	case p.Max > 0:
		return "to " + duration.Format(p.Max)
	case p.Min > 0:
		return "from " + duration.Format(p.Min)
	case p.Settable == platform.No:
		return "fixed"
	case p.Settable == platform.Yes:
		return "settable"
	}
	return table.Unknown
}

func profilesJSON(w io.Writer, profiles []align.Profile) error {
	out := bufio.NewWriter(w)
	e := record.NewEncoder(out)
	for _, p := range profiles {
		if err := e.Encode(paths.ProfileOf(p)); err != nil {
			return err
		}
	}
	return out.Flush()
}
