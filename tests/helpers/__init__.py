"""What several tests share: laws and curves to try, and the slow forms they are held against."""
