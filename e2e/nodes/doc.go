// Package nodes tests several nodes of the built program that share one
// PostgreSQL and one Redis: that they act as one while they are paused, killed and
// restarted, and what they answer while a part that they need is away. It holds
// nothing but tests. What is about one node on SQLite that is killed stands here where it shares its
// means, like the history that has to be linearizable.
package nodes
