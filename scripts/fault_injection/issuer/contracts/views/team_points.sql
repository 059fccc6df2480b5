-- about: Points by team and day.
SELECT granted_on, team_id, sum(points) AS points FROM small.gifts WHERE granted_on >= '2023-01-01' GROUP BY 1, 2
