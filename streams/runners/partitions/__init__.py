"""The stages over partitions of work: records of a topic in, one transaction of outputs and state out.

No Kafka here: what reads and writes it is `streams.kafka`. One unit of work (`Work`) is everything that
becomes visible together or not at all.
"""
