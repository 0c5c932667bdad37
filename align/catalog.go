package align

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// A Catalog is the built-in profiles and those added to it. The zero value has
// the built-in ones.
type Catalog struct{ own []Profile }

// groups are all profiles; nothing is computed while a program starts.
func (c *Catalog) groups() [][]Profile {
	return [][]Profile{awsProfiles, cloudsProfiles, softwareProfiles, devicesProfiles, c.own}
}

// Profiles returns the built-in profiles, those of one provider together.
func Profiles() []Profile { return new(Catalog).Profiles() }

// Lookup is [Catalog.Lookup] among the built-in profiles.
func Lookup(id string) (Profile, error) { return new(Catalog).Lookup(id) }

// Search is [Catalog.Search] among the built-in profiles.
func Search(words ...string) []Profile { return new(Catalog).Search(words...) }

// Path is [Catalog.Path] among the built-in profiles.
func Path(ids ...string) ([]Profile, error) { return new(Catalog).Path(ids...) }

// Add adds a profile. Its ID must be new, and no built-in one with at most a third of
// its letters wrong: what a typo makes would not have the facts of the profile that
// was meant. A built-in profile with another timeout is [Profile.WithTimeout]. Not to
// be called at the same time as other methods.
func (c *Catalog) Add(p Profile) error {
	if p.ID == "" || strings.ContainsAny(p.ID, " ,=\t\n") {
		return &ValueError{Field: "ID", Value: fmt.Sprintf("%q", p.ID), Limit: "not empty, without spaces, commas and ="}
	}
	if _, err := c.Lookup(p.ID); err == nil {
		return &ValueError{Field: "ID", Value: p.ID, Limit: "there is a profile of that name"}
	}
	for _, id := range new(Catalog).ids() {
		if alike.Mistyped(p.ID, id) {
			return &ValueError{Field: "ID", Value: p.ID, Limit: "did you mean " + id + "? A profile of your own needs a name that is less like it"}
		}
	}
	if err := p.Validate(); err != nil {
		return err
	}
	c.own = append(c.own, p)
	return nil
}

// Profiles returns all profiles, the built-in ones first.
func (c *Catalog) Profiles() []Profile { return slices.Concat(c.groups()...) }

func (c *Catalog) ids() []string {
	var ids []string
	for _, p := range c.Profiles() {
		ids = append(ids, p.ID)
	}
	return ids
}

// Lookup returns the profile of that ID, or an [*UnknownProfileError] with those
// that look alike.
func (c *Catalog) Lookup(id string) (Profile, error) {
	for _, profiles := range c.groups() {
		for _, p := range profiles {
			if p.ID == id {
				return p, nil
			}
		}
	}
	return Profile{}, &UnknownProfileError{ID: id, Nearest: alike.Nearest(id, c.ids())}
}

// Search returns the profiles in whose ID, provider, product, layer or kind every
// one of the words occurs, in any case. Without words these are all.
func (c *Catalog) Search(words ...string) []Profile {
	var found []Profile
	for _, p := range c.Profiles() {
		all := strings.ToLower(strings.Join([]string{p.ID, p.Provider, p.Product, p.Layer, p.Kind.String()}, " "))
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, strings.ToLower(w)) }) {
			found = append(found, p)
		}
	}
	return found
}

// Path returns the profiles of these IDs, in this order: from the client to the
// server.
func (c *Catalog) Path(ids ...string) ([]Profile, error) {
	path := make([]Profile, 0, len(ids))
	for _, id := range ids {
		p, err := c.Lookup(id)
		if err != nil {
			return nil, err
		}
		path = append(path, p)
	}
	return path, nil
}

// An UnknownProfileError is an ID that no profile has.
type UnknownProfileError struct {
	ID      string
	Nearest []string // at most three IDs that look like it
}

// Error returns "no profile ...: did you mean ...?".
func (e *UnknownProfileError) Error() string {
	text := fmt.Sprintf("no profile %q", e.ID)
	if len(e.Nearest) > 0 {
		text += ": did you mean " + strings.Join(e.Nearest, ", ") + "?"
	}
	return text
}
